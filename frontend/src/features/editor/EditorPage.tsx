import { useParams, useSearch } from '@tanstack/react-router';
import { useEffect, useRef, useState } from 'react';
import { saveDraft, useFlow, useVersion } from '~/api/flows';
import type { Draft } from '~/api/flows';
import type { Flow } from '~/api/types';
import { useT } from '~/app/messages';
import { useLookup } from '~/features/canvas/catalogue';
import { ErrorState, PageSkeleton } from '~/ui/States';
import { useOpeningDraft } from './api';
import { isUnsaved, startAutosave, useSave } from './autosave';
import type { Autosave } from './autosave';
import { Editor } from './Editor';
import { noChecking, startChecking } from './findings';
import { loadFeel } from './form/feel/FeelInput';
import { useEditor } from './store';
import { resetView, say, select, useView } from './view';
import { VersionView } from './VersionView';

/** The draft of a flow, or one of its versions to look at. */
export function EditorPage() {
  const { flowId = '' } = useParams({ strict: false });
  const { version } = useSearch({ strict: false });
  const number = version === undefined ? undefined : Number(version);
  const flow = useFlow(flowId);
  const draft = useOpeningDraft(flowId);
  const shown = useVersion(flowId, number);
  const types = useLookup();
  const error = flow.error ?? draft.error ?? (number === undefined ? null : shown.error);
  if (error && !draft.data) return <ErrorState error={error} retry={() => void Promise.all([flow.refetch(), draft.refetch()])} />;
  if (!flow.data || !draft.data || types.steps.length === 0) return <PageSkeleton />;
  if (number !== undefined) return shown.data ? <VersionView flow={flow.data} version={shown.data} /> : shown.error ? <ErrorState error={shown.error} retry={() => void shown.refetch()} /> : <PageSkeleton />;
  return <OpenDraft key={flowId} flow={flow.data} draft={draft.data} reread={async () => (await draft.refetch()).data} />;
}

/** Puts the draft into the store, saves and checks it as long as it is open. */
function OpenDraft({ flow, draft, reread }: { flow: Flow; draft: Draft; reread: () => Promise<Draft | undefined> }) {
  const t = useT();
  const { step } = useSearch({ strict: false });
  const [round, setRound] = useState(0);
  const [ready, setReady] = useState<{ autosave: Autosave; check: () => Promise<void> } | null>(null);
  const source = useRef(draft);
  const readOnly = !flow.rights.includes('edit') || flow.state === 'archived';

  useEffect(() => {
    const { document, revision } = source.current;
    const before = useEditor.getState().flowId === flow.id ? useView.getState().selected : [];
    resetView();
    useEditor.getState().open(flow.id, document, readOnly);
    select(before.filter((id) => id in document.steps));
    const autosave = startAutosave({ flowId: flow.id, revision, save: saveDraft });
    // Who may only look asks for no check: the server would refuse it.
    const checking = readOnly ? noChecking : startChecking(flow.id);
    if (step) select([step]);
    setReady({ autosave, check: checking.check });
    void loadFeel();
    const wake = () => autosave.wake();
    window.addEventListener('online', wake);
    window.addEventListener('focus', wake);
    return () => {
      window.removeEventListener('online', wake);
      window.removeEventListener('focus', wake);
      autosave.stop();
      checking.stop();
    };
    // A change of rights or of the address does not open the draft again; `round` does.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [flow.id, round]);

  const reload = async () => {
    const fresh = await reread();
    if (!fresh) return;
    source.current = fresh;
    setRound((one) => one + 1);
  };

  // Somebody else saved while nothing was left to save here: their work is shown at once.
  const revision = useSave((save) => save.revision);
  const status = useSave((save) => save.status);
  const newer = ready !== null && status === 'saved' && (flow.revision ?? 0) > revision;
  useEffect(() => {
    if (!newer || isUnsaved()) return;
    void reread().then((fresh) => {
      if (!fresh || isUnsaved()) return;
      source.current = fresh;
      setRound((one) => one + 1);
      say(t('editor.reloaded'));
    });
    // `reread` is new at each render; what counts is that there is something newer.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [newer]);

  return ready ? <Editor key={round} flow={flow} autosave={ready.autosave} check={ready.check} reload={reload} /> : <PageSkeleton />;
}
