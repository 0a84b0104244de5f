// Reads the events of the gateway. `EventSource` cannot send a key, so the stream is read by hand.

const LONGEST_PAUSE_MS = 10_000;
/** The gateway says something every second; this long a silence is a line that is dead. */
const SILENCE_MS = 20_000;

/**
 * Watches until the page goes. `on` is told `message`, `state` (live, waiting, lost) and, where a key is needed, is asked for
 * one by `key`, which may wait for a person.
 */
export async function watch(on) {
  let pause = 1000;
  for (;;) {
    try {
      const response = await fetch("events", { headers: on.headers(), cache: "no-store" });
      if (response.status === 401) {
        await on.key();
        continue;
      }
      if (!response.ok) throw new Error(await reason(response));
      pause = 1000;
      await read(response.body, on);
      on.state("waiting", "connecting again");
    } catch (error) {
      on.state("lost", `not connected: ${error.message}`);
    }
    await new Promise((resolve) => setTimeout(resolve, pause));
    pause = Math.min(pause * 2, LONGEST_PAUSE_MS);
  }
}

async function read(body, on) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { done, value } = await within(reader, SILENCE_MS);
    if (done) return;
    const events = (rest + value).split("\n\n");
    rest = events.pop();
    for (const event of events) {
      const data = event.split("\n").filter((line) => line.startsWith("data:"));
      if (data.length === 0) continue;
      on.message(JSON.parse(data.map((line) => line.slice(5)).join("\n")));
      on.state("live", "live");
    }
  }
}

function within(reader, patience) {
  let timer;
  const silence = new Promise((_, reject) => {
    timer = setTimeout(() => {
      reader.cancel();
      reject(new Error("nothing was heard for a while"));
    }, patience);
  });
  return Promise.race([reader.read(), silence]).finally(() => clearTimeout(timer));
}

/** What the gateway says of a request that it refused. */
export async function reason(response) {
  const answer = await response.json().catch(() => null);
  return answer?.error?.message ?? `the gateway answered ${response.status}`;
}
