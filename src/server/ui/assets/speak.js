// Says changes of state to who listens instead of looking: politely, together, and not more than one message in two seconds.

const PAUSE_MS = 2000;
const MOST = 5;
const spoken = document.getElementById("spoken");
let waiting = [];
let timer = null;

export function speak(sentences) {
  waiting.push(...sentences);
  if (waiting.length > 0 && timer === null) {
    say();
    timer = setInterval(say, PAUSE_MS);
  }
}

function say() {
  if (waiting.length === 0) {
    clearInterval(timer);
    timer = null;
    return;
  }
  const more = waiting.length > MOST ? `, and ${waiting.length - MOST} more` : "";
  spoken.textContent = waiting.slice(0, MOST).join("; ") + more;
  waiting = [];
}

const said = document.getElementById("said");

/** Says what came of something that a person has asked for. */
export function tell(sentence, kind = "good") {
  said.hidden = false;
  said.dataset.kind = kind;
  said.textContent = sentence;
}
