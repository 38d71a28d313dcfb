// Niceties by data- attributes: pages work without.
(() => {
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];
  const on = (type, does, target = document) => target.addEventListener(type, does);
  const html = document.documentElement;
  const number = (value, min, max) => value.toLocaleString(html.lang, { minimumFractionDigits: min, maximumFractionDigits: max });
  const line = (tag, ...cells) => {
    const box = document.createElement(tag);
    for (const [name, textContent, className] of cells)
      Object.assign(box.appendChild(document.createElement(name)), { textContent, className });
    return box;
  };
  html.classList.add("js");

  // data-total: the sum of what is ticked.
  for (const form of all("[data-total]")) {
    const digits = Number(form.dataset.minor), unit = 10 ** digits;
    const money = minor => form.dataset.total.replace("#", number(minor / unit, minor % unit && digits, digits));
    const show = () => {
      const ticked = all("[data-price]:checked", form).map(({ dataset }) => [dataset.label, Number(dataset.price)]);
      const total = money(ticked.reduce((sum, [, price]) => sum + price, 0));
      const [list] = all("[data-lines]");
      list.replaceChildren(...ticked.map(([label, price]) => line("div", ["dt", label, ""], ["dd", money(price), "num"])));
      list.hidden = !ticked[0];
      for (const out of all("[data-total-out]")) out.textContent = total;
      for (const part of all("[data-plain], [data-total-row]")) part.hidden = "plain" in part.dataset == !!ticked[0];
    };
    on("change", show, form);
    on("pageshow", show, window); // may bring answers back
  }

  // data-once: sent once.
  on("submit", event => {
    const { dataset } = event.target;
    if (dataset.sent) event.preventDefault();
    if ("once" in dataset) dataset.sent = 1;
    for (const sheet of all(".sheet:popover-open")) sheet.hidePopover();
  });
  on("pageshow", () => all("[data-sent]").forEach(form => delete form.dataset.sent), window);

  // data-drop takes files; the chosen are listed.
  for (const zone of all("[data-drop]")) {
    const [input] = all("input", zone), [list] = all("[data-files]", zone);
    const size = bytes => bytes < 1 << 20 ? number(bytes / 1024, 0, 0) + "\u00a0kB" : number(bytes / (1 << 20), 0, 1) + "\u00a0MB";
    const show = () => list.replaceChildren(...[...input.files].map(file => {
      const large = file.size > list.dataset.max;
      return line("li", ["span", file.name, "name"], ["span", size(file.size) + (large ? " – " + list.dataset.tooLarge : ""), large ? "num late" : "num quiet"]);
    }));
    for (const type of ["dragover", "dragleave", "drop"]) on(type, event => {
      event.preventDefault();
      zone.toggleAttribute("data-over", type === "dragover");
      if (type !== "drop") return;
      input.files = event.dataTransfer.files;
      show();
    }, zone);
    on("change", show, input);
  }

  // data-live: what is typed shows in the preview.
  on("input", ({ target }) => {
    const text = target.value.trim();
    const { live } = target.dataset;
    if (live != null) for (const span of all("[data-comment]" + live, target.form))
      span.textContent = text ? JSON.stringify(text).slice(1, -1) : span.dataset.comment;
  });

  // A link unfolds its form, data-copy copies, a click elsewhere or Escape closes
  // a menu, "/" searches.
  const close = but => all(".menu[open], .pick[open]").forEach(menu => menu.open = menu.contains(but));
  on("click", ({ target }) => {
    const link = target.closest("[data-open]");
    if (link) all(link.hash).forEach(form => form.closest("details").open = true);
    const { copy, copied } = target.dataset;
    if (copy) navigator.clipboard?.writeText(copy).then(() => target.textContent = copied);
    close(target);
  });
  on("keydown", event => {
    const [search] = all("[data-slash]");
    if (event.key === "Escape") close(null);
    if (event.key !== "/" || !search || event.target.closest("input, textarea, select")) return;
    event.preventDefault();
    search.focus();
  });
})();
