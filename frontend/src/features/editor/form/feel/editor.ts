import { autocompletion, closeBrackets, closeBracketsKeymap, completionKeymap } from '@codemirror/autocomplete';
import type { Completion, CompletionContext, CompletionResult } from '@codemirror/autocomplete';
import { defaultKeymap } from '@codemirror/commands';
import { bracketMatching, HighlightStyle, syntaxHighlighting } from '@codemirror/language';
import { setDiagnostics } from '@codemirror/lint';
import { EditorState } from '@codemirror/state';
import { EditorView, keymap, placeholder, tooltips } from '@codemirror/view';
import { feel, snippets } from '@bpmn-io/lang-feel';
import { tags } from '@lezer/highlight';
import { styleNonce } from '~/app/nonce';
import type { PathNode } from '../../document/paths';
import { sampleText } from '../sampleText';
import { FUNCTIONS } from './functions';

/** One FEEL field. Its text is the document's; it keeps no history of its own. */
export interface FeelEditor {
  setValue: (value: string) => void;
  setReadOnly: (readOnly: boolean) => void;
  insert: (text: string) => void;
  focus: () => void;
  mark: (fault: { from: number; to: number; message: string } | null) => void;
  destroy: () => void;
}

interface Options {
  parent: HTMLElement;
  value: string;
  label: string;
  describedBy: string;
  readOnly: boolean;
  paths: () => PathNode[];
  onChange: (value: string) => void;
  onBlur: () => void;
}

const look = HighlightStyle.define([
  { tag: [tags.keyword, tags.operatorKeyword, tags.controlKeyword], color: 'var(--sb-cat-logic)' },
  { tag: [tags.string, tags.special(tags.string)], color: 'var(--sb-done)' },
  { tag: [tags.number, tags.bool, tags.null], color: 'var(--sb-running)' },
  { tag: [tags.function(tags.variableName), tags.function(tags.special(tags.variableName))], color: 'var(--sb-cat-outside)' },
  { tag: tags.comment, color: 'var(--sb-muted)' },
]);

const theme = EditorView.theme({
  '&': { fontSize: 'var(--sb-size-sm)', background: 'transparent', color: 'var(--sb-text)' },
  '&.cm-focused': { outline: 'none' },
  '.cm-content': { fontFamily: 'var(--sb-mono)', lineHeight: '20px', padding: '0', caretColor: 'var(--sb-text)' },
  '.cm-line': { padding: '0' },
  '.cm-scroller': { maxHeight: '240px', overflow: 'auto' },
  '.cm-placeholder': { color: 'var(--sb-muted)' },
  '&.cm-focused .cm-selectionBackground, .cm-selectionBackground, ::selection': { background: 'var(--sb-accent-soft)' },
  '.cm-cursor': { borderLeftColor: 'var(--sb-text)' },
  '.cm-matchingBracket': { background: 'var(--sb-accent-soft)', outline: 'none' },
  '.cm-tooltip': { background: 'var(--sb-surface)', border: '1px solid var(--sb-line)', borderRadius: 'var(--sb-radius)', boxShadow: 'var(--sb-shadow)', zIndex: '400' },
  '.cm-tooltip-autocomplete > ul': { fontFamily: 'var(--sb-mono)', maxHeight: '240px', maxWidth: '480px' },
  '.cm-tooltip-autocomplete > ul > li': { padding: '4px 8px', lineHeight: '20px' },
  '.cm-tooltip-autocomplete > ul > li[aria-selected]': { background: 'var(--sb-accent-soft)', color: 'var(--sb-text)' },
  '.cm-completionDetail': { color: 'var(--sb-muted)', fontStyle: 'normal', marginInlineStart: '12px' },
  '.cm-completionMatchedText': { textDecoration: 'none', fontWeight: '600' },
  '.cm-completionInfo': { padding: '6px 8px', maxWidth: '320px', fontSize: 'var(--sb-size-xs)' },
});

const pathOption = (node: PathNode): Completion => ({
  label: node.path,
  type: 'variable',
  detail: node.hasSample ? sampleText(node.sample, 40) : undefined,
  boost: 2,
});
const functionOptions: Completion[] = FUNCTIONS.map((name) => ({ label: `${name}()`, apply: `${name}(`, type: 'function', boost: -1 }));

/** Names of several words, of which some hold words of the grammar: `get or else`. */
const NAMES = Object.fromEntries(FUNCTIONS.filter((name) => name.includes(' ')).map((name) => [name, true]));

const MOST = 60;

/** Offers real paths first, then functions and forms of the language. */
function complete(context: CompletionContext, paths: PathNode[]): CompletionResult | null {
  const word = context.matchBefore(/[\p{L}_$][\p{L}\p{N}_$.[\]]*/u);
  if (!word && !context.explicit) return null;
  const typed = (word?.text ?? '').toLowerCase();
  const behind = context.state.sliceDoc(0, context.pos);
  // Inside a text literal nothing is offered.
  if ((behind.replace(/\\./g, '').match(/"/g)?.length ?? 0) % 2 === 1) return null;
  return {
    from: word?.from ?? context.pos,
    // Matched here and not letter by letter: "amo" means "amount", never "ye(a)rs and (mo)nths".
    filter: false,
    options: [
      ...paths.filter((node) => node.path.toLowerCase().includes(typed) && node.path.toLowerCase() !== typed).slice(0, MOST).map(pathOption),
      ...(typed.includes('.') ? [] : [...functionOptions, ...(snippets as Completion[])].filter((one) => one.label.toLowerCase().startsWith(typed))),
    ],
  };
}

export function createFeelEditor(options: Options): FeelEditor {
  const nonce = styleNonce();
  const view = new EditorView({
    parent: options.parent,
    state: EditorState.create({
      doc: options.value,
      extensions: [
        ...(nonce ? [EditorView.cspNonce.of(nonce)] : []),
        feel({ dialect: 'expression', context: NAMES }),
        syntaxHighlighting(look),
        bracketMatching(),
        closeBrackets(),
        autocompletion({ override: [(context) => complete(context, options.paths())], icons: false, activateOnTyping: true }),
        // Tab leaves the field; the editor is no trap.
        keymap.of([...closeBracketsKeymap, ...completionKeymap, ...defaultKeymap]),
        EditorView.lineWrapping,
        tooltips({ position: 'fixed', parent: document.body }),
        placeholder(''),
        theme,
        EditorView.contentAttributes.of({ 'aria-label': options.label, 'aria-describedby': options.describedBy }),
        EditorView.updateListener.of((update) => {
          if (update.docChanged && !update.transactions.some((one) => one.isUserEvent('set'))) options.onChange(update.state.doc.toString());
          if (update.focusChanged && !update.view.hasFocus) options.onBlur();
        }),
      ],
    }),
  });
  const setReadOnly = (readOnly: boolean) => {
    view.contentDOM.contentEditable = readOnly ? 'false' : 'true';
    view.contentDOM.setAttribute('aria-readonly', String(readOnly));
  };
  setReadOnly(options.readOnly);

  return {
    setReadOnly,
    setValue: (value) => {
      const now = view.state.doc.toString();
      if (now !== value) view.dispatch({ changes: { from: 0, to: now.length, insert: value }, userEvent: 'set' });
    },
    insert: (text) => {
      const { from, to } = view.state.selection.main;
      view.dispatch({ changes: { from, to, insert: text }, selection: { anchor: from + text.length } });
      view.focus();
    },
    focus: () => {
      view.focus();
      view.dispatch({ selection: { anchor: view.state.doc.length } });
    },
    mark: (fault) => {
      const length = view.state.doc.length;
      const diagnostics = fault
        ? [{ from: Math.min(fault.from, length), to: Math.min(Math.max(fault.to, fault.from + 1), length), severity: 'error' as const, message: fault.message }]
        : [];
      view.dispatch(setDiagnostics(view.state, diagnostics));
    },
    destroy: () => view.destroy(),
  };
}
