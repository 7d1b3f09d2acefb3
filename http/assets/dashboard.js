// Live pages. One event stream a tab: when something of the team has changed, the page is asked for again
// and the parts marked data-live are put in place of the old ones. Nothing here makes markup of its own.
(() => {
  "use strict";
  const body = document.body;
  const lost = document.querySelector("[data-lost]");
  let wanted = null;
  let stream = null;

  async function refresh() {
    wanted = null;
    const parts = document.querySelectorAll("[data-live]");
    if (parts.length === 0) return;
    const answer = await fetch(location.href, { headers: { "X-Live": "1" } });
    if (!answer.ok || answer.redirected) return;
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
    for (const part of parts) {
      const by = fresh.getElementById(part.id);
      if (by && !part.contains(document.activeElement) && by.innerHTML !== part.innerHTML) {
        htmx.swap({ target: part, text: by.innerHTML, swap: "innerMorph" });
      }
    }
  }

  function connect() {
    if (!body.dataset.stream) return;
    stream = new EventSource(body.dataset.stream + "?last_event_id=" + encodeURIComponent(body.dataset.since || "0"));
    stream.addEventListener("open", () => { lost.hidden = true; });
    stream.addEventListener("error", () => { lost.hidden = false; });
    stream.addEventListener("changed", (event) => {
      body.dataset.since = event.lastEventId;
      wanted = wanted || setTimeout(refresh, 250);
    });
  }

  document.addEventListener("visibilitychange", () => {
    if (document.hidden && stream) { stream.close(); stream = null; }
    else if (!document.hidden && !stream) connect();
  });
  connect();
})();
