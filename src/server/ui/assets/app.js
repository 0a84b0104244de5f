// The page: takes what comes from the gateway, and has each part write what has changed.

import { act } from "./act.js";
import { updateCalls } from "./calls.js";
import * as detail from "./detail.js";
import { ms, none, rate, share, write } from "./format.js";
import * as key from "./key.js";
import { model, take } from "./model.js";
import { changedAll } from "./seen.js";
import { speak } from "./speak.js";
import { watch } from "./stream.js";
import * as table from "./table.js";
import * as theme from "./theme.js";

const byId = (id) => document.getElementById(id);

function choose(name) {
  if (!model.backends.has(name)) return;
  detail.show(name, true);
  table.mark(name);
  history.replaceState(null, "", `${location.pathname}#${encodeURIComponent(name)}`);
}

function onMessage(message) {
  const changes = take(message);
  if (message.kind === "hello") {
    table.arrange();
    greet();
  }
  const sums = table.update();
  tiles(sums);
  updateCalls(choose);
  if (detail.shown()) detail.update();
  speak(changes);
}

/** What a first message says that later ones do not. */
function greet() {
  write(byId("version"), model.version);
  write(byId("who"), model.you.name ? `as ${model.you.name}${model.you.operator ? ", operator" : ""}` : "");
  byId("reload").hidden = !model.you.operator;
  byId("forget").hidden = !key.isKnown();
  if (detail.shown() && model.backends.has(detail.shown())) return;
  detail.hide();
  const wanted = decodeURIComponent(location.hash.slice(1));
  const open = [...model.backends.values()].find(({ now }) => now.circuit !== "Closed");
  const chosen = model.backends.has(wanted) ? wanted : (open?.name ?? model.backends.keys().next().value);
  if (chosen === undefined) return;
  detail.show(chosen, false);
  table.mark(chosen);
}

function tiles(sums) {
  write(byId("tile-backends"), String(model.backends.size));
  write(byId("tile-open"), String(sums.open));
  write(byId("tile-rate"), rate(sums.rate));
  write(byId("tile-errors"), share(sums.bad, sums.all));
  write(byId("tile-queue"), `${sums.flight}, ${sums.queued}`);
  write(byId("tile-sessions"), String(model.sessions));
  const { added_us: added, budget_us: budget, over_budget: over } = model.own;
  write(byId("tile-added"), added ? `${added.map(ms).join(", ")} ms` : none);
  write(byId("tile-budget"), budget === null ? none : `${over} over ${ms(budget)} ms`);
}

function onState(state, words) {
  const link = byId("link");
  if (link.dataset.state !== state) link.dataset.state = state;
  write(link, words);
}

theme.begin();
theme.onChange(changedAll);
table.begin(choose);
detail.begin();
byId("reload").addEventListener("click", () => act("reload"));
byId("forget").addEventListener("click", () => {
  key.forget();
  location.reload();
});
// The page has another base than its address, so a plain fragment would lead away.
byId("skip").addEventListener("click", (event) => {
  event.preventDefault();
  byId("backends").focus();
});
watch({ headers: key.headers, key: key.ask, message: onMessage, state: onState });
