/** Starts the console. */

import { render } from "preact";
import { App } from "@/app";
import { showPlace } from "@/route";
import { signInByFragment } from "@/session";
import "@/styles/index.scss";

signInByFragment();
const root = document.getElementById("console");
if (root) render(<App />, root);
showPlace(location.hash);
