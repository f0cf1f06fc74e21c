/** The element id of the form at the right. */
export const PANEL = 'editor-panel';

/** Moves the focus into the form of what is selected, once it is there. */
export function focusForm(tries = 12): void {
  requestAnimationFrame(() => {
    const panel = document.getElementById(PANEL);
    const first = panel?.querySelector<HTMLElement>('[data-first]') ?? panel?.querySelector<HTMLElement>('input, textarea, button, [contenteditable="true"]');
    if (first) first.focus();
    else if (tries > 0) focusForm(tries - 1);
  });
}

/** Moves the focus to the field at a path of the config, else to the form. */
export function focusField(path: string, tries = 12): void {
  requestAnimationFrame(() => {
    const panel = document.getElementById(PANEL);
    // A finding may name a part of a field, or a field that only shows as part of another.
    const names = path.split('.').map((_part, at, all) => all.slice(0, all.length - at).join('.'));
    const field = names.map((name) => panel?.querySelector<HTMLElement>(`[data-field="${CSS.escape(name)}"]`)).find(Boolean);
    const input = field?.querySelector<HTMLElement>('input, textarea, button, [contenteditable="true"]');
    if (field && input) {
      field.scrollIntoView({ block: 'center' });
      input.focus();
    } else if (tries > 0) focusField(path, tries - 1);
    else focusForm();
  });
}
