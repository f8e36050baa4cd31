// Curves, live news and the keys of the desk. Everything else is plain pages and forms.
"use strict";

const COLOURS = ["#1f77b4", "#d9622b", "#2a9d5c", "#b03a8c", "#8a6d1d", "#6a5acd", "#c0392b", "#17a2a2", "#7f7f7f", "#3b5998", "#a0522d", "#556b2f"];

function ink(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

// Put the runs of an answer on one axis of steps.
function joined(runs) {
  return runs.length === 1 ? [runs[0].steps, runs[0].values] : uPlot.join(runs.map((run) => [run.steps, run.values]));
}

// A little room above and below; a flat curve lies in the middle.
function padded(_, low, high) {
  const room = (high - low) * 0.06 || Math.abs(high) * 0.1 || 1;
  return [low - room, high + room];
}

async function draw(figure) {
  const answer = await fetch(figure.dataset.curve, { headers: { accept: "application/json" } });
  if (!answer.ok) return;
  const { runs } = await answer.json();
  const data = joined(runs);
  if (figure.plot) { figure.plot.setData(data); return; }
  const axis = { stroke: ink("--quiet"), grid: { stroke: ink("--line"), width: 1 }, ticks: { stroke: ink("--line") } };
  const line = (run, n) => ({ label: run.name, stroke: COLOURS[n % COLOURS.length], width: 1.5, spanGaps: true });
  const size = () => ({ width: Math.max(figure.clientWidth - 16, 200), height: 200 });
  const options = { ...size(), scales: { x: { time: false }, y: { range: padded } }, axes: [axis, { ...axis, size: 60 }], series: [{ label: "step" }, ...runs.map(line)] };
  figure.plot = new uPlot(options, data, figure);
  new ResizeObserver(() => figure.plot.setSize(size())).observe(figure);
}

function curves() {
  const seen = new IntersectionObserver((entries) => {
    for (const entry of entries) if (entry.isIntersecting) { seen.unobserve(entry.target); draw(entry.target); }
  }, { rootMargin: "200px" });
  for (const figure of document.querySelectorAll("[data-curve]")) seen.observe(figure);
}

// A run that is going on: its status, and its curves at most every two seconds.
function follow() {
  const status = document.querySelector("[data-events]");
  if (!status) return;
  let waiting = false;
  const source = new EventSource(status.dataset.events);
  source.addEventListener("step", (event) => {
    const told = JSON.parse(event.data);
    status.textContent = told.status;
    if (told.ended) source.close();
    if (waiting) return;
    waiting = true;
    setTimeout(() => {
      waiting = false;
      for (const figure of document.querySelectorAll("[data-curve]")) if (figure.plot) draw(figure);
    }, 2000);
  });
}

// A key presses the control that names it, unless somebody is typing.
function keys() {
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
    const here = event.target;
    const typing = here.matches("textarea:not([readonly]), select, input:not([type=radio]):not([type=checkbox])");
    if (typing || (event.key === "Enter" && here.matches("a, button, summary"))) return;
    const control = document.querySelector(`[data-key="${CSS.escape(event.key)}"]`);
    if (!control) return;
    event.preventDefault();
    control.click();
    if (control.matches("input")) control.focus();
  });
}

// A form is sent once.
function once() {
  for (const form of document.querySelectorAll("form[method=post]")) {
    form.addEventListener("submit", (event) => {
      if (form.sent) event.preventDefault();
      form.sent = true;
    });
  }
  addEventListener("pageshow", () => { for (const form of document.forms) form.sent = false; });
}

// The content of a chosen file goes into the text field below it.
function files() {
  for (const input of document.querySelectorAll("[data-into]")) {
    input.addEventListener("change", async () => {
      if (input.files[0]) document.getElementById(input.dataset.into).value = await input.files[0].text();
    });
  }
}

// Marked parts of an answer. Places are counted in characters, not in UTF-16 units.
function marks() {
  const text = document.getElementById("marked");
  if (!text) return;
  const field = document.getElementById("spans");
  const list = document.getElementById("marks");
  const place = (units) => [...text.value.slice(0, units)].length;
  let spans = JSON.parse(field.value || "[]");
  const show = () => {
    field.value = JSON.stringify(spans);
    list.replaceChildren(...spans.map((span, n) => {
      const entry = document.createElement("li");
      const words = document.createElement("mark");
      words.textContent = [...text.value].slice(span.start, span.end).join("");
      const why = document.createElement("input");
      why.value = span.reason;
      why.placeholder = "why";
      why.setAttribute("aria-label", "why");
      why.addEventListener("input", () => { span.reason = why.value; field.value = JSON.stringify(spans); });
      const remove = document.createElement("button");
      remove.type = "button";
      remove.textContent = "Remove";
      remove.addEventListener("click", () => { spans.splice(n, 1); show(); });
      entry.append(words, ` ${span.category} `, why, " ", remove);
      return entry;
    }));
  };
  for (const button of document.querySelectorAll(".mark")) {
    button.addEventListener("click", () => {
      const [start, end] = [place(text.selectionStart), place(text.selectionEnd)];
      if (start < end) spans.push({ start, end, category: button.dataset.category, reason: "" });
      show();
    });
  }
  show();
}

document.addEventListener("DOMContentLoaded", () => {
  for (const begin of [curves, follow, keys, once, files, marks]) begin();
});
