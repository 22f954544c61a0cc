/** The frame around every page: skip link, name, navigation, who is signed in, light or dark. */

import { useEffect, useState } from "preact/hooks";
import { PAGES } from "@/pages";
import { Page } from "@/parts/page";
import { Empty } from "@/parts/states";
import { addressOf, useRoute } from "@/route";
import { claims, mayAct, SIGNED_OUT, signOut } from "@/session";
import { THEMES, useTheme } from "@/theme";

export function App() {
  const route = useRoute();
  const signedOut = useSignedOut();
  const [, Shown] = PAGES[route.page] ?? [];
  return (
    <>
      <a href="#main" class="govuk-skip-link">Skip to main content</a>
      <Top page={route.page} />
      <div class="govuk-width-container">
        {signedOut ? <SignedOut /> : Shown ? <Shown name={route.name} key={`${route.page}/${route.name}`} /> : <NoSuchPage />}
      </div>
    </>
  );
}

function useSignedOut(): boolean {
  const [out, setOut] = useState(false);
  useEffect(() => {
    const told = () => setOut(true);
    addEventListener(SIGNED_OUT, told);
    return () => removeEventListener(SIGNED_OUT, told);
  }, []);
  return out;
}

const Top = ({ page }: { page: string }) => (
  <header class="top">
    <div class="govuk-width-container top__inner">
      <a class="top__name" href="/">MetIP Hub</a>
      <nav aria-label="Pages">
        <ul>
          {Object.entries(PAGES).map(([name, [title]]) => (
            <li key={name}>
              <a href={addressOf(name)} aria-current={name === page ? "page" : undefined}>{title}</a>
            </li>
          ))}
        </ul>
      </nav>
      <Person />
      <ThemeSwitch />
    </div>
  </header>
);

function Person() {
  const known = claims();
  return (
    <span class="top__person">
      {known?.subject}
      {!mayAct() && " (looking only)"}
      <button type="button" class="top__button" onClick={signOut}>Sign out</button>
    </span>
  );
}

function ThemeSwitch() {
  const [theme, setTheme] = useTheme();
  return (
    <select class="top__theme" aria-label="Colours" value={theme} onChange={(event) => setTheme(event.currentTarget.value as typeof theme)}>
      {THEMES.map((one) => (
        <option key={one} value={one}>{one === "system" ? "As the system" : one === "light" ? "Light" : "Dark"}</option>
      ))}
    </select>
  );
}

const SignedOut = () => (
  <Page title="You are not signed in">
    <p class="govuk-body">
      On a laptop, open the address that <code>metip console</code> prints: it holds a token for this tab. Elsewhere, load this page anew to go
      to your force's sign-in.
    </p>
    <button type="button" class="govuk-button" onClick={() => location.reload()}>Load anew</button>
  </Page>
);

const NoSuchPage = () => (
  <Page title="There is no such page">
    <Empty title="The address is not one of this console's.">
      <a class="govuk-link" href="/">Go to the estate</a>
    </Empty>
  </Page>
);
