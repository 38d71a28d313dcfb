// What scripts add to pages that work without them. Elements are found by their
// data- attributes; nothing is evaluated, no style is written.
(() => {
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];
  const on = (type, does, target = document) => target.addEventListener(type, does);
  const root = document.documentElement, lang = root.lang === "en" ? "en-GB" : root.lang;
  const number = (value, decimals) => value.toLocaleString(lang, { minimumFractionDigits: decimals[0], maximumFractionDigits: decimals[1] });
  const line = (tag, ...cells) => {
    const box = document.createElement(tag);
    for (const [name, text, look] of cells) {
      const cell = box.appendChild(document.createElement(name));
      cell.textContent = text;
      cell.className = look;
    }
    return box;
  };
  root.classList.add("js");

  // data-total: the sum of what is ticked, as it changes.
  for (const form of all("[data-total]")) {
    const digits = Number(form.dataset.minor);
    const money = minor => form.dataset.total.replace("#", number(minor / 10 ** digits, minor % 10 ** digits ? [digits, digits] : [0, 0]));
    const show = () => {
      const ticked = all("[data-price]:checked", form).map(input => [input.dataset.label, Number(input.dataset.price)]);
      const total = money(ticked.reduce((sum, [, price]) => sum + price, 0));
      for (const list of all("[data-lines]")) {
        list.replaceChildren(...ticked.map(([label, price]) => line("div", ["dt", label, ""], ["dd", money(price), "num"])));
        list.hidden = !ticked.length;
      }
      for (const out of all("[data-total-out]")) out.textContent = total;
    };
    for (const part of all("[data-plain], [data-total-row]")) part.hidden = "plain" in part.dataset;
    on("change", show, form);
    on("pageshow", show, window); // the browser may have brought answers back
  }

  // data-once: a second click sends nothing.
  on("submit", event => {
    const data = event.target.dataset;
    if (data.sent) event.preventDefault();
    if ("once" in data) data.sent = "yes";
  });
  on("pageshow", () => all("[data-sent]").forEach(form => delete form.dataset.sent), window);

  // data-drop: files can be dropped, and those chosen are listed with their sizes.
  for (const zone of all("[data-drop]")) {
    const [input] = all("input", zone), [list] = all("[data-files]", zone.parentElement);
    const size = bytes => bytes < 1 << 20 ? number(bytes / 1024, [0, 0]) + "\u00a0kB" : number(bytes / (1 << 20), [0, 1]) + "\u00a0MB";
    const show = () => list.replaceChildren(...[...input.files].map(file => file.size > list.dataset.max
      ? line("li", ["span", file.name, "name"], ["span", size(file.size) + " – " + list.dataset.tooLarge, "num late"])
      : line("li", ["span", file.name, "name"], ["span", size(file.size), "num quiet"])));
    const over = event => { event.preventDefault(); zone.toggleAttribute("data-over", event.type === "dragover"); };
    for (const type of ["dragover", "dragleave", "drop"]) on(type, over, zone);
    on("drop", event => { input.files = event.dataTransfer.files; show(); }, zone);
    on("change", show, input);
    on("pageshow", show, window);
  }

  // data-live: what is typed shows in the preview, escaped as in the message.
  on("input", event => {
    if (!("live" in event.target.dataset)) return;
    const text = event.target.value.trim();
    for (const span of all("[data-comment]", event.target.form)) span.textContent = text ? JSON.stringify(text).slice(1, -1) : span.dataset.comment;
  });

  // A link to a folded form unfolds it; a menu closes by a click elsewhere or
  // Escape, the sheet of filters when it is used; "/" goes to the search.
  on("click", ({ target }) => {
    const link = target.closest("[data-open]");
    if (link) all(link.hash).forEach(form => form.closest("details").open = true);
    all(".menu[open], .pick[open]").forEach(menu => menu.open = menu.contains(target));
  });
  on("keydown", event => {
    if (event.key === "Escape") all(".menu[open], .pick[open]").forEach(menu => menu.open = false);
    const [search] = all("[data-slash]");
    if (event.key !== "/" || !search || event.target.closest("input, textarea, select")) return;
    event.preventDefault();
    search.focus();
  });
  on("submit", event => all(".sheet:popover-open", event.target).forEach(sheet => sheet.hidePopover()));
})();
