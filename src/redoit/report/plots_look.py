"""What is fixed on a page of plots: its frame, its looks, and the script that has the plots drawn."""

from __future__ import annotations

PAGE = """\
<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; \
style-src 'unsafe-inline'; script-src {policy}; base-uri 'none'; form-action 'none'">
<title>{title}</title>
<style>
:root { --ink: #1f2328; --faint: #59636e; --page: #f6f8fa; --card: #fff; --edge: #d1d9e0; --note: #fff8c5; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e6edf3; --faint: #9198a1; --page: #0d1117; --card: #151b23; --edge: #3d444d; --note: #3a2f0b; }
}
* { box-sizing: border-box; }
body { margin: 0; padding: 24px; background: var(--page); color: var(--ink);
  font: 15px/1.45 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; }
h1 { margin: 0 0 20px; font-size: 20px; font-weight: 600; overflow-wrap: anywhere; }
main { display: flex; flex-wrap: wrap; gap: 20px; align-items: flex-start; }
section { max-width: 100%; min-width: min(100%, 320px); padding: 16px 20px; background: var(--card);
  border: 1px solid var(--edge); border-radius: 8px; }
section header { margin-bottom: 10px; max-width: 640px; }
h2 { margin: 0; font-size: 15px; font-weight: 600; overflow-wrap: anywhere; }
code { color: var(--faint); font-size: 12px; overflow-wrap: anywhere; }
.vega, .vega.vega-embed { display: block; max-width: 100%; overflow-x: auto; }
.vega svg, .vega canvas { display: block; }
.vega:not([data-state]) { min-height: 360px; min-width: min(100%, 420px); }
.vega form { margin-top: 8px; color: var(--faint); font-size: 12px; }
.vega form:empty { margin: 0; }
.vega .vega-bind input { vertical-align: middle; }
.images { display: flex; flex-wrap: wrap; gap: 14px; align-items: flex-start; }
figure { margin: 0; max-width: 100%; }
figcaption { margin-bottom: 4px; color: var(--faint); font-size: 13px; overflow-wrap: anywhere; }
figure img { display: block; min-width: 24px; max-width: min(100%, 640px); background: #fff;
  border: 1px solid var(--edge); border-radius: 4px; }
.note { max-width: 640px; margin: 10px 0 0; padding: 6px 10px; background: var(--note); border-radius: 4px;
  font-size: 13px; overflow-wrap: anywhere; }
</style>
{scripts}
</head>
<body>
<h1>{title}</h1>
<main>
{plot_divs}
</main>
</body>
</html>
"""
"""The page; in braces what is put in."""

RUNNER = """
(function () {
  const dark = window.matchMedia("(prefers-color-scheme: dark)");
  function looks() {
    const ink = dark.matches ? "#e6edf3" : "#1f2328", faint = dark.matches ? "#9198a1" : "#59636e";
    const line = dark.matches ? "#3d444d" : "#d1d9e0";
    return {
      background: "transparent",
      font: "system-ui, sans-serif",
      title: { color: ink },
      axis: { labelColor: faint, titleColor: ink, gridColor: line, domainColor: line, tickColor: line },
      legend: { labelColor: faint, titleColor: ink, labelLimit: 240 },
      header: { labelColor: ink, titleColor: ink },
      view: { stroke: line }
    };
  }
  function draw(place) {
    const spec = JSON.parse(place.dataset.spec);
    const options = {
      mode: "vega-lite",
      renderer: (spec.data && spec.data.values || []).length > 20000 ? "canvas" : "svg",
      ast: true,
      config: looks(),
      tooltip: { theme: dark.matches ? "dark" : "light" },
      actions: { export: true, source: false, compiled: false, editor: false }
    };
    vegaEmbed(place, spec, options).then(
      function () { place.dataset.state = "drawn"; },
      function (error) {
        place.dataset.state = "failed";
        place.className = "note";
        place.textContent = "this cannot be drawn: " + error.message;
      }
    );
  }
  document.addEventListener("DOMContentLoaded", function () {
    const places = document.querySelectorAll(".vega");
    const coming = new IntersectionObserver(function (seen) {
      for (const each of seen) {
        if (each.isIntersecting) {
          coming.unobserve(each.target);
          draw(each.target);
        }
      }
    }, { rootMargin: "1000px" });
    for (const place of places) {
      place.dataset.spec = place.firstElementChild.textContent;
      coming.observe(place);
    }
    dark.addEventListener("change", function () {
      document.querySelectorAll(".vega[data-state]").forEach(draw);
    });
  });
})();
"""
"""Draws the specification in a ``.vega`` when it comes near to the window, again when the system changes between light
and dark: a page may have hundreds."""
