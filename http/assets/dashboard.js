// Live pages. One event stream a tab: when something of the team has changed, the page is asked for again
// and the parts marked data-live are put in place of the old ones. Nothing here makes markup of its own.
(() => {
  "use strict";
  const body = document.body;
  const [lost, ended, news] = ["lost", "ended", "news"].map((name) => document.querySelector(`[data-${name}]`));
  const soon = 250, patience = 300, quiet = 10000, longestWait = 30000;
  let stream = null;
  let wanted = null;
  let skipped = false;
  let wait = 1000;
  let told = 0;

  function say(text) {
    if (Date.now() - told < quiet) return;
    told = Date.now();
    news.textContent = text;
  }

  const seqs = (part) => [...part.querySelectorAll("[data-seq]")].map((row) => Number(row.dataset.seq));

  // What the reader has opened stays open.
  function keepOpen(part, fresh) {
    const before = part.querySelectorAll("details"), after = fresh.querySelectorAll("details");
    if (before.length === after.length) after.forEach((d, i) => { d.open = before[i].open; });
  }

  function put(part, fresh) {
    keepOpen(part, fresh);
    for (const { name, value } of fresh.attributes) if (part.getAttribute(name) !== value) part.setAttribute(name, value);
    if (fresh.innerHTML !== part.innerHTML) htmx.swap({ target: part, text: fresh.innerHTML, swap: "innerMorph" });
  }

  // Rows do not move away under somebody who reads further down: a button tells of the newer ones.
  function offer(button, part, fresh) {
    const newest = Math.max(0, ...seqs(part));
    const count = seqs(fresh).filter((seq) => seq > newest).length;
    if (count === 0 || part.getBoundingClientRect().top >= 0) { button.hidden = true; return false; }
    button.textContent = `${count} new event${count === 1 ? "" : "s"}`;
    button.hidden = false;
    button.onclick = () => {
      button.hidden = true;
      put(part, fresh);
      part.scrollIntoView();
    };
    say(button.textContent);
    return true;
  }

  function renew(part, fresh) {
    if (!fresh) return;
    if (part.contains(document.activeElement)) { skipped = true; return; }
    const button = document.querySelector(`[data-newer="${part.id}"]`);
    if (!button || !offer(button, part, fresh)) put(part, fresh);
  }

  async function refresh() {
    wanted = null;
    skipped = false;
    const parts = [...document.querySelectorAll("[data-live]")];
    const slow = setTimeout(() => parts.forEach((part) => part.setAttribute("aria-busy", "true")), patience);
    try {
      const answer = await fetch(location.href, { headers: { "X-Live": "1" } });
      if (answer.redirected && new URL(answer.url).pathname === "/dashboard/login") return end();
      if (!answer.ok) return;
      const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
      parts.forEach((part) => renew(part, fresh.getElementById(part.id)));
      if (parts.length > 0) say("The page was brought up to date");
    } catch {
      pause();  // the stream will say when it is over
    } finally {
      clearTimeout(slow);
      parts.forEach((part) => part.removeAttribute("aria-busy"));
    }
  }

  function want() { wanted = wanted || setTimeout(refresh, soon); }

  function pause() {
    if (lost.hidden) lost.querySelector("time").textContent = new Date().toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
    lost.hidden = false;
  }

  function disconnect() {
    if (stream) stream.close();
    stream = null;
  }

  function end() {
    disconnect();
    body.dataset.stream = "";
    lost.hidden = true;
    ended.hidden = false;
  }

  function connect() {
    if (!body.dataset.stream || stream) return;
    stream = new EventSource(body.dataset.stream + "?last_event_id=" + encodeURIComponent(body.dataset.since));
    stream.addEventListener("open", () => { lost.hidden = true; wait = 1000; });
    stream.addEventListener("changed", (event) => { body.dataset.since = event.lastEventId; want(); });
    stream.addEventListener("error", () => {
      pause();
      if (stream.readyState !== EventSource.CLOSED) return;  // it tries again by itself
      disconnect();
      want();  // the page tells whether the session has ended
      setTimeout(connect, wait);
      wait = Math.min(wait * 2, longestWait);
    });
  }

  // One press is enough of what shows something once.
  document.addEventListener("submit", (event) => {
    if (event.target.matches("[data-once]")) setTimeout(() => event.target.querySelectorAll("button").forEach((b) => { b.disabled = true; }));
  });
  document.addEventListener("focusout", () => { if (skipped) want(); });
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) disconnect();
    else connect();
  });
  connect();
})();
