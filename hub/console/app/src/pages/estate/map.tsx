/** The map: who calls what and which system answers, drawn as one picture whose boxes are links; the table says the same in rows. */

import { useMemo } from "preact/hooks";
import { Platform } from "@gen/metip/migration/v1/step_pb";
import { addressOf } from "@/route";
import { HEALTH, inWords } from "./figures";
import type { Drawing } from "./grouping";
import { BOX, type Lane, layout, type Placed, WIDTH, type Wire } from "./layout";
import { moving } from "./narrowing";
import { percent, plural } from "@/words/formatting";

interface MapProps {
  readonly drawing: Drawing;
  /** The id of the box whose details are shown; empty for none. */
  readonly chosen: string;
  readonly addressFor: (box: Placed) => string;
}

export function Map({ drawing, chosen, addressFor }: MapProps) {
  const { boxes, wires, lanes, height } = useMemo(() => layout(drawing), [drawing]);
  const lit = (wire: Wire) => chosen === wire.from || chosen === wire.to;
  return (
    <div class="scroll" tabIndex={0} role="region" aria-label="Map of the estate">
      <svg class={`map ${chosen ? "map--chosen" : ""}`} viewBox={`0 0 ${WIDTH} ${height}`} width={WIDTH} height={height} role="group" aria-label="Consumers, interfaces and systems">
        <g class="map__heads" aria-hidden="true">
          <text x="10" y="18">Who calls</text>
          <text x="515" y="18">Interfaces</text>
          <text x="1020" y="18">Systems</text>
        </g>
        {lanes.map((lane) => (
          <LaneBand key={lane.platform} lane={lane} />
        ))}
        <g aria-hidden="true">
          {wires.map((wire) => (
            <WireLine key={wire.id} wire={wire} lit={lit(wire)} />
          ))}
        </g>
        {boxes.map((box) => (
          <BoxLink key={box.id} box={box} chosen={box.id === chosen} address={addressFor(box)} />
        ))}
      </svg>
    </div>
  );
}

const LaneBand = ({ lane: { platform, y, height } }: { lane: Lane }) => (
  <g class={`lane lane--${platform === Platform.METIP ? "old" : "new"}`}>
    <rect x="1008" y={y} width="268" height={height} rx="8" />
    <text x="1020" y={y + 18}>{platform === Platform.METIP ? "Old platform (MetIP)" : "New platform (MetIP2)"}</text>
  </g>
);

const kindOf = ({ figures: { perSecond, errorShare } }: Wire): string => (perSecond === 0 ? "idle" : errorShare >= 0.01 ? "bad" : "live");

/** From one to six wide, by the order of magnitude of what goes along it. */
const thickness = (perSecond: number): number => 1 + Math.min(5, 1.6 * Math.log10(1 + perSecond));

function WireLine({ wire, lit }: { wire: Wire; lit: boolean }) {
  const { path, label, shadow, figures, weight, weightInEnvoy } = wire;
  const differs = weight !== undefined && weightInEnvoy !== undefined && Math.abs(weight - weightInEnvoy) > 0.5;
  return (
    <g class={`wire wire--${kindOf(wire)} ${shadow ? "wire--shadow" : ""} ${lit ? "wire--lit" : ""}`}>
      <path d={path} stroke-width={thickness(figures.perSecond)} />
      {weight !== undefined && (differs || (weight > 0 && weight < 100)) && (
        <text x={label[0]} y={label[1]}>{percent((weightInEnvoy ?? weight) / 100)}{differs && ` (set ${percent(weight / 100)})`}</text>
      )}
    </g>
  );
}

function BoxLink({ box, chosen, address }: { box: Placed; chosen: boolean; address: string }) {
  const [health, tone] = HEALTH[box.figures.health];
  const share = box.node && moving(box.node) ? (box.node.newPlatformPercent ?? 0) : undefined;
  const second = !box.node ? `${plural(box.members, "interface")} · ${inWords(box.figures)}` : inWords(box.figures);
  const said = `${box.label}: ${second}${health === "unknown" ? "" : `, ${health}`}${share === undefined ? "" : `, ${share}% on the new platform`}`;
  return (
    <a class={`box box--${box.column} box--${tone}`} href={address} aria-label={said} aria-current={chosen ? "true" : undefined}>
      <title>{box.node?.name ?? box.label}</title>
      <rect class="box__ground" x={box.x} y={box.y} width={BOX.width} height={BOX.height} rx="5" />
      <rect class="box__state" x={box.x} y={box.y} width="6" height={BOX.height} rx="3" />
      <text class="box__label" x={box.x + 14} y={box.y + 18}>{clipped(box.label, share === undefined ? 28 : 21)}</text>
      <text class="box__figures" x={box.x + 14} y={box.y + 35}>{clipped(second, 38)}</text>
      {share !== undefined && (
        <>
          <text class="box__share" x={box.x + BOX.width - 8} y={box.y + 18}>{share}% new</text>
          <rect class="box__bar" x={box.x + 6} y={box.y + BOX.height - 3} width={BOX.width - 6} height="3" />
          <rect class="box__part" x={box.x + 6} y={box.y + BOX.height - 3} width={((BOX.width - 6) * share) / 100} height="3" />
        </>
      )}
    </a>
  );
}

const clipped = (text: string, letters: number): string => (text.length > letters ? `${text.slice(0, letters - 1)}…` : text);

export const mapAddress = (query: Record<string, string>) => (box: Placed): string =>
  addressOf("estate", "", box.node ? { ...query, node: box.id } : { ...query, system: box.system, node: "" });
