import { useQueryClient } from '@tanstack/react-query';
import { useParams, useSearch } from '@tanstack/react-router';
import { useEffect, useState } from 'react';
import { api } from '~/api/client';
import type { Page } from '~/api/client';
import { fetchDraft, saveDraft, useFlow, useVersion } from '~/api/flows';
import type { Draft } from '~/api/flows';
import { useMe } from '~/api/me';
import { isProblem } from '~/api/problem';
import type { Flow } from '~/api/types';
import { useLookup } from '~/features/canvas/catalogue';
import { ErrorState, PageSkeleton } from '~/ui/States';
import { useOpeningDraft } from './api';
import { startAutosave, useSave } from './autosave';
import type { Autosave, Loaded } from './autosave';
import { useRevision } from './compare/api';
import type { Revision } from './compare/api';
import { Editor } from './Editor';
import { noChecking, startChecking } from './findings';
import { loadFeel } from './form/feel/FeelInput';
import { claimTab, isOpenElsewhere, keepHistory, keepInBrowser, recallHistory } from './merge/keep';
import type { KeptWork } from './merge/keep';
import { useEditor } from './store';
import { resetView, select } from './view';
import { RevisionView, VersionView } from './VersionView';

/** The draft of a flow, or one of its versions or revisions to look at. */
export function EditorPage() {
  const { flowId = '' } = useParams({ strict: false });
  const { version, revision } = useSearch({ strict: false });
  const flow = useFlow(flowId);
  const types = useLookup();
  if (flow.error && !flow.data) return <ErrorState error={flow.error} retry={() => void flow.refetch()} />;
  if (!flow.data || types.steps.length === 0) return <PageSkeleton />;
  if (version !== undefined) return <ShownVersion flow={flow.data} number={Number(version)} />;
  if (revision !== undefined) return <ShownRevision flow={flow.data} number={Number(revision)} />;
  return <ShownDraft key={flowId} flow={flow.data} />;
}

function ShownDraft({ flow }: { flow: Flow }) {
  const draft = useOpeningDraft(flow.id);
  if (draft.error && !draft.data) return <ErrorState error={draft.error} retry={() => void draft.refetch()} />;
  return draft.data ? <OpenDraft flow={flow} draft={draft.data} /> : <PageSkeleton />;
}

function ShownVersion({ flow, number }: { flow: Flow; number: number }) {
  const shown = useVersion(flow.id, number);
  if (shown.data) return <VersionView flow={flow} version={shown.data} />;
  return shown.error ? <ErrorState error={shown.error} retry={() => void shown.refetch()} /> : <PageSkeleton />;
}

function ShownRevision({ flow, number }: { flow: Flow; number: number }) {
  const shown = useRevision(flow.id, number);
  if (shown.data) return <RevisionView flow={flow} revision={shown.data} />;
  return shown.error ? <ErrorState error={shown.error} retry={() => void shown.refetch()} /> : <PageSkeleton />;
}

const keep = keepInBrowser();
const HISTORY_MS = 400;

/** What the server has by now, and who saved it; a draft that changes in between is read at the next save. */
async function loadLatest(id: string): Promise<Loaded> {
  const [draft, saves] = await Promise.all([fetchDraft(id), api.get<Page<Revision>>(`flows/${id}/revisions/`, { query: { limit: 1 } })]);
  return { ...draft, who: saves.results[0]?.author?.name ?? '' };
}

interface Opened {
  autosave: Autosave;
  check: () => Promise<void>;
  /** Work of tabs that are closed by now, which the server never got. */
  leftover: KeptWork[];
}

/** Puts the draft into the store, saves and checks it as long as it is open. */
function OpenDraft({ flow, draft }: { flow: Flow; draft: Draft }) {
  const { step } = useSearch({ strict: false });
  const me = useMe();
  const client = useQueryClient();
  const [ready, setReady] = useState<Opened | null>(null);
  const readOnly = !flow.rights.includes('edit') || flow.state === 'archived';

  useEffect(() => {
    let closed = false;
    let close = () => { closed = true; };
    const begin = async () => {
      const tab = await claimTab();
      // A browser that keeps nothing (a private window, a full disk) still edits.
      const found = readOnly ? [] : await keep.of(me.id, flow.id).catch(() => []);
      const own = found.find((work) => work.tab === tab);
      const open = await Promise.all(found.map((work) => isOpenElsewhere(work.tab)));
      if (closed) return;
      resetView();
      useEditor.getState().open(flow.id, own?.mine ?? draft.document, readOnly);
      if (!readOnly) {
        const { past, future } = recallHistory(me.id, flow.id);
        useEditor.getState().recall(past, future);
      }
      const autosave = startAutosave({
        flowId: flow.id,
        revision: own?.revision ?? draft.revision,
        document: own?.base ?? draft.document,
        behind: own !== undefined,
        save: saveDraft,
        load: loadLatest,
        whoami: async () => {
          const now = await client.fetchQuery({ queryKey: ['me', 'now'], queryFn: () => api.get<{ id: string }>('me/'), staleTime: 0, retry: false }).catch((error: unknown) => {
            if (isProblem(error, 401, 403)) return null;
            throw error;
          });
          return now?.id ?? null;
        },
        user: me.id,
        tab,
        keep,
      });
      // Who may only look asks for no check: the server would refuse it.
      const checking = readOnly ? noChecking : startChecking(flow.id);
      const stopHistory = readOnly ? () => undefined : startKeepingHistory(me.id, flow.id);
      if (step) select([step]);
      setReady({ autosave, check: checking.check, leftover: found.filter((work, at) => work !== own && !open[at]) });
      void loadFeel();
      const wake = () => autosave.wake();
      window.addEventListener('online', wake);
      window.addEventListener('focus', wake);
      close = () => {
        window.removeEventListener('online', wake);
        window.removeEventListener('focus', wake);
        stopHistory();
        autosave.stop();
        checking.stop();
      };
    };
    void begin();
    return () => close();
    // A change of rights or of the address does not open the draft again.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [flow.id]);

  // Somebody else saved while nothing was left to save here: their work is shown at once.
  const revision = useSave((save) => save.revision);
  const status = useSave((save) => save.status);
  const newer = ready !== null && status === 'saved' && (flow.revision ?? 0) > revision;
  useEffect(() => {
    if (newer) ready?.autosave.pull().catch(() => undefined);
  }, [newer, ready]);

  return ready ? <Editor flow={flow} autosave={ready.autosave} check={ready.check} leftover={ready.leftover} /> : <PageSkeleton />;
}

/** Undo of this tab stays for when it is loaded again. */
function startKeepingHistory(user: string, flow: string): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const write = () => {
    clearTimeout(timer);
    const { past, future, flowId } = useEditor.getState();
    if (flowId === flow) keepHistory(user, flow, past, future);
  };
  const unsubscribe = useEditor.subscribe((state, before) => {
    if (state.past === before.past && state.future === before.future) return;
    clearTimeout(timer);
    timer = setTimeout(write, HISTORY_MS);
  });
  window.addEventListener('pagehide', write);
  return () => {
    write();
    unsubscribe();
    window.removeEventListener('pagehide', write);
  };
}
