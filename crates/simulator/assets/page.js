// Keeps the chats fresh: fetches the part that changes and swaps it in when it differs.
"use strict";
(() => {
  const place = document.getElementById("chats");
  let last = "";

  const localTimes = () => {
    for (const time of place.querySelectorAll("time")) {
      const at = new Date(time.dateTime);
      if (!Number.isNaN(at.valueOf())) {
        time.textContent = at.toLocaleTimeString([], { hour12: false });
        time.title = at.toLocaleString();
      }
    }
  };

  const atEnd = (stream) => stream.scrollHeight - stream.scrollTop - stream.clientHeight < 40;

  // A reader who has scrolled up in a chat stays there; all others see the newest message.
  const swap = (html) => {
    const kept = [...place.querySelectorAll(".stream")].map((s) => (atEnd(s) ? -1 : s.scrollTop));
    place.innerHTML = html;
    place.querySelectorAll(".stream").forEach((stream, index) => {
      stream.scrollTop = (kept[index] ?? -1) < 0 ? stream.scrollHeight : kept[index];
    });
    localTimes();
  };

  const look = async () => {
    try {
      const answer = await fetch("/_simulator/chats", { cache: "no-store" });
      const html = await answer.text();
      if (answer.ok && html !== last) {
        last = html;
        swap(html);
      }
      document.body.classList.toggle("stale", !answer.ok);
    } catch {
      document.body.classList.add("stale");
    }
    setTimeout(look, document.hidden ? 10000 : 1500);
  };

  localTimes();
  place.querySelectorAll(".stream").forEach((stream) => { stream.scrollTop = stream.scrollHeight; });
  look();
})();
