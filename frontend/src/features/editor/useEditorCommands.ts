import { useCallback, useEffect } from 'react';
import { useCommands } from '~/app/commands';
import type { Command, CommandGroup } from '~/app/commands';
import { useT } from '~/app/messages';
import { readingOrder, TRIGGER, useLookup } from '~/features/canvas/catalogue';
import { IconArrowBackUp, IconArrowForwardUp, IconArrowsMaximize, IconBoxMultiple, IconChecks, IconCopy, IconDatabase, IconEye, IconFileExport, IconFileImport, IconFocusCentered, IconHierarchy, IconKeyboard, IconLayoutAlignBottom, IconListTree, IconNote, IconPencil, IconPlus, IconRocket, IconSelector, IconSitemap } from '~/ui/icons';
import { useActions } from './actions';
import { firstLine } from './canvas/help';
import { flatPaths, pathsFor } from './document/paths';
import { contains, newest } from './document/ports';
import { usesOf } from './document/uses';
import { TABS } from './drawer/tabs';
import { exportFlow } from './exchange';
import { useEditor } from './store';
import { onStage, select, useView } from './view';
import type { Drawer } from './view';

const MOST = 8;

/** The focus is given back by the closing list; only then can it be put elsewhere. */
const afterwards = (act: () => void) => setTimeout(act, 60);

/** Brings a step into view, opens its form and puts the focus on it. */
export function showStep(id: string): void {
  select([id]);
  afterwards(() => onStage()?.focus({ step: id }));
}

/** What Ctrl-K offers while a flow is edited: steps to add and to find, where a value is used, and everything that is done by a button. */
export function useEditorCommands(mayPublish: boolean, check: () => Promise<void>): void {
  const t = useT();
  const types = useLookup();
  const actions = useActions();
  const source = useCallback(
    (term: string): CommandGroup[] => {
      const { document, readOnly, past, future } = useEditor.getState();
      const { selected, outline } = useView.getState();
      const wanted = term.toLowerCase();
      const matches = (...texts: string[]) => texts.join(' ').toLowerCase().includes(wanted);

      const commands: (Command & { edits?: boolean; hidden?: boolean })[] = [
        { id: 'tidy', label: t('editor.tidy'), icon: IconHierarchy, edits: true, act: () => void actions.tidy() },
        { id: 'note', label: t('editor.note.add'), icon: IconNote, edits: true, act: () => showStep(actions.addNote()) },
        { id: 'group', label: t('editor.group'), icon: IconBoxMultiple, edits: true, hidden: selected.length === 0 || !types.steps.some(contains), act: () => afterwards(() => useView.setState({ asking: { kind: 'group', ids: selected, x: window.innerWidth / 2 - 160, y: 96 } })) },
        { id: 'duplicate', label: t('editor.duplicate'), icon: IconCopy, edits: true, hidden: selected.length === 0, act: () => actions.duplicate(selected) },
        { id: 'undo', label: t('editor.undo', { label: past.at(-1)?.label ?? '' }), icon: IconArrowBackUp, edits: true, hidden: past.length === 0, act: actions.undo },
        { id: 'redo', label: t('editor.redo', { label: future[0]?.label ?? '' }), icon: IconArrowForwardUp, edits: true, hidden: future.length === 0, act: actions.redo },
        { id: 'all', label: t('editor.key.all'), icon: IconSelector, act: () => select(Object.keys(document.steps)) },
        { id: 'zoom', label: t('editor.zoom_selected'), icon: IconFocusCentered, hidden: outline || selected.length === 0, act: () => onStage()?.fit?.(selected) },
        { id: 'fit', label: t('canvas.fit'), icon: IconArrowsMaximize, hidden: outline, act: () => onStage()?.fit?.() },
        { id: 'view', label: t(outline ? 'editor.as_canvas' : 'editor.as_outline'), icon: outline ? IconSitemap : IconListTree, act: () => useView.setState({ outline: !outline }) },
        { id: 'publish', label: t('editor.publish'), icon: IconRocket, hidden: !mayPublish, act: () => afterwards(() => useView.setState({ publishing: true })) },
        { id: 'check', label: t('editor.check'), icon: IconChecks, edits: true, act: () => { useView.setState({ drawer: 'problems' }); void check(); } },
        ...(Object.keys(TABS) as Drawer[]).map((drawer) => ({ id: `drawer:${drawer}`, label: t(TABS[drawer]), icon: IconLayoutAlignBottom, act: () => useView.setState({ drawer }) })),
        { id: 'export', label: t('editor.export'), icon: IconFileExport, act: () => exportFlow(document) },
        { id: 'import', label: t('editor.import'), icon: IconFileImport, edits: true, act: () => afterwards(() => useView.setState({ importing: true })) },
        { id: 'keys', label: t('editor.keys'), icon: IconKeyboard, act: () => afterwards(() => useView.setState({ help: true })) },
      ];

      const steps = readingOrder(document).map((id) => ({ id, step: document.steps[id] })).flatMap(({ id, step }) => (step ? [{ id, title: step.title || id, kind: types.step(step.type, step.version)?.title ?? step.type }] : []));
      const uses = term.length > 1 ? usesOf(document, term, types) : [];
      const paths = term.length > 1 && !term.includes(' ') ? pathsFound(term) : [];

      function pathsFound(text: string): string[] {
        const [only] = selected;
        const from = only !== undefined && (only === TRIGGER || only in document.steps) ? only : (steps.at(-1)?.id ?? TRIGGER);
        const all = flatPaths(pathsFor(document, from, types, null)).map((node) => node.path);
        return [...new Set(all)].filter((path) => path.toLowerCase().includes(text.toLowerCase()) && path !== text).slice(0, 4);
      }

      return [
        { group: t('editor.find.steps'), commands: (term === '' ? [] : steps.filter((one) => matches(one.title, one.id, one.kind))).slice(0, MOST).map((one) => ({ id: `step:${one.id}`, label: one.title, detail: one.kind, icon: IconSitemap, act: () => showStep(one.id) })) },
        {
          group: t('editor.find.uses', { path: term }),
          commands: uses.slice(0, 30).map(({ id, how, path }) => ({ id: `use:${how}:${id}:${path}`, label: actions.titleOf(id), detail: t(how === 'reads' ? 'editor.find.reads' : 'editor.find.writes', { path }), icon: how === 'reads' ? IconEye : IconPencil, act: () => showStep(id) })),
        },
        { group: t('editor.find.fields'), commands: paths.map((path) => ({ id: `path:${path}`, label: path, detail: t('editor.find.where'), icon: IconDatabase, ask: path })) },
        {
          group: t('editor.add.label'),
          commands: (readOnly ? [] : newest(types.steps).filter((type) => matches(type.title, type.kind, type.category, firstLine(type.help)))).slice(0, term === '' ? 4 : MOST).map((type) => ({ id: `add:${type.kind}`, label: t('editor.find.add', { title: type.title }), detail: firstLine(type.help), icon: IconPlus, act: () => showStep(actions.addNext(type)) })),
        },
        { group: t('editor.find.commands'), commands: commands.filter((one) => !one.hidden && !(one.edits && readOnly) && matches(one.label)) },
      ].filter((group) => group.commands.length > 0);
    },
    [t, types, actions, mayPublish, check],
  );
  useCommands(source);
  // Who presses Ctrl-K goes on typing at once: the list must be here by then.
  useEffect(() => {
    const soon = setTimeout(() => void import('~/app/Search'), 1500);
    return () => clearTimeout(soon);
  }, []);
}
