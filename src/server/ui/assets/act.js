// What an operator does: asked once more where it stops calls, sent with what shows that this page sent it, and told.

import { headers } from "./key.js";
import { reason } from "./stream.js";
import { tell } from "./speak.js";

const dialog = document.getElementById("sure");
const heading = document.getElementById("sure-heading");
const text = document.getElementById("sure-text");

/** What is asked before something that stops calls. */
const QUESTIONS = {
  kill: (name) => [`Stop ${name}?`, "Its calls in flight fail, and new ones are refused until it is revived."],
  open: (name) => [`Force the circuit of ${name} open?`, "Every call to it is refused until somebody says otherwise."],
};

/** `what` is revive, kill, open, closed, auto or reload. */
export async function act(what, name) {
  const question = QUESTIONS[what];
  if (question && !(await sure(...question(name)))) return;
  const isForce = ["open", "closed", "auto"].includes(what);
  const body = what === "reload" ? {} : isForce ? { backend: name, to: what } : { backend: name };
  try {
    const response = await fetch(`actions/${isForce ? "force" : what}`, {
      method: "POST",
      headers: { ...headers(), "Content-Type": "application/json", "X-Requested-By": "mcp-gateway" },
      body: JSON.stringify(body),
    });
    if (!response.ok) throw new Error(await reason(response));
    const answer = await response.json();
    tell(answer.done, answer.error ? "bad" : "good");
  } catch (error) {
    tell(error.message, "bad");
  }
}

function sure(title, sentence) {
  heading.textContent = title;
  text.textContent = sentence;
  dialog.returnValue = "no";
  dialog.showModal();
  document.getElementById("sure-no").focus();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => resolve(dialog.returnValue === "yes"), { once: true });
  });
}
