/** What a page shows of the hub's answers: asked once, asked again every so often while somebody looks, or streamed. */

import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import { type Ask, DEADLINE_MS, type Watch } from "@/calls";
import { type Fault, faultOf } from "@/words/faults";

export interface Answer<T> {
  /** The latest answer; stays while a newer one is fetched or failed. */
  readonly value: T | undefined;
  readonly fault: Fault | undefined;
  readonly asking: boolean;
  readonly again: () => void;
}

interface Held<T> {
  readonly value: T | undefined;
  readonly fault: Fault | undefined;
  readonly asking: boolean;
}

const NOTHING = { value: undefined, fault: undefined, asking: true } as const;

/**
 * Asks when `inputs` change, and then every `every` milliseconds (0: never again) while the page is visible. The value of other inputs is
 * dropped at once, so that no answer stands beside a question that it does not belong to.
 */
export function useAnswer<T>(ask: Ask<T>, inputs: readonly unknown[], every = 0): Answer<T> {
  const [held, setHeld] = useState<Held<T>>(NOTHING);
  const [turn, setTurn] = useState(0);
  const question = JSON.stringify(inputs);
  const asked = useRef(question);
  useEffect(() => {
    const ending = new AbortController();
    const fresh = asked.current !== question;
    asked.current = question;
    setHeld((was) => (fresh ? NOTHING : { ...was, asking: true }));
    let timer: ReturnType<typeof setTimeout> | undefined;
    const later = () => {
      if (every > 0 && !ending.signal.aborted) timer = setTimeout(() => (document.hidden ? later() : void once()), every);
    };
    const once = async () => {
      try {
        const value = await ask({ signal: ending.signal, timeoutMs: DEADLINE_MS });
        if (!ending.signal.aborted) setHeld({ value, fault: undefined, asking: false });
      } catch (error) {
        if (!ending.signal.aborted) setHeld((was) => ({ value: was.value, fault: faultOf(error), asking: false }));
      }
      later();
    };
    void once();
    return () => {
      ending.abort();
      clearTimeout(timer);
    };
  }, [question, every, turn]);
  const again = useCallback(() => setTurn((was) => was + 1), []);
  return { ...held, again };
}

const PAUSE_MS = 2_000;

/**
 * Folds a stream into one value. When it ends or fails it is opened again after a pause; the value stays, with the fault beside it. Hidden
 * pages hold no stream.
 */
export function useStream<T, S>(watch: Watch<T>, fold: (state: S | undefined, item: T) => S, inputs: readonly unknown[]): Answer<S> {
  const [held, setHeld] = useState<Held<S>>(NOTHING);
  const [turn, setTurn] = useState(0);
  const question = JSON.stringify(inputs);
  useEffect(() => {
    let ending = new AbortController();
    let timer: ReturnType<typeof setTimeout> | undefined;
    const run = async (signal: AbortSignal) => {
      let state: S | undefined;
      try {
        for await (const item of watch({ signal })) {
          state = fold(state, item);
          if (signal.aborted) return;
          setHeld({ value: state, fault: undefined, asking: false });
        }
      } catch (error) {
        if (!signal.aborted) setHeld((was) => ({ value: was.value, fault: faultOf(error), asking: false }));
      }
      if (!signal.aborted) timer = setTimeout(() => void run(signal), PAUSE_MS);
    };
    const seen = () => {
      ending.abort();
      clearTimeout(timer);
      ending = new AbortController();
      if (!document.hidden) void run(ending.signal);
    };
    setHeld(NOTHING);
    seen();
    document.addEventListener("visibilitychange", seen);
    return () => {
      document.removeEventListener("visibilitychange", seen);
      ending.abort();
      clearTimeout(timer);
    };
  }, [question, turn]);
  const again = useCallback(() => setTurn((was) => was + 1), []);
  return { ...held, again };
}
