import { useParams } from '@tanstack/react-router';
import { useDraft } from '~/api/flows';
import { useLookup } from '~/features/canvas/catalogue';
import { FlowCanvas } from '~/features/canvas/FlowCanvas';
import { ErrorState, PageSkeleton } from '~/ui/States';

/** The draft of a flow on the canvas. */
export function EditorPage() {
  const { flowId } = useParams({ strict: false });
  const { data, error, refetch } = useDraft(flowId ?? '');
  const types = useLookup();
  if (data) return <FlowCanvas document={data.document} types={types} />;
  return error ? <ErrorState error={error} retry={() => void refetch()} /> : <PageSkeleton />;
}
