import type { RequestItem, RequestState as State } from '~/api/requests';
import { useT } from '~/app/messages';
import type { MessageId } from '~/app/messages';
import { StatusBadge } from '~/ui/StatusBadge';

const LOOKS: Record<State, { status: string; label: MessageId }> = {
  waiting: { status: 'waiting', label: 'requests.state.waiting' },
  working: { status: 'running', label: 'requests.state.working' },
  on_hold: { status: 'paused', label: 'requests.state.on_hold' },
  done: { status: 'completed', label: 'requests.state.done' },
  failed: { status: 'failed', label: 'requests.state.failed' },
  withdrawn: { status: 'cancelled', label: 'requests.state.withdrawn' },
};

export function RequestState({ request }: { request: RequestItem }) {
  const t = useT();
  const { status, label } = LOOKS[request.progress.state];
  return <StatusBadge status={status} label={t(label)} />;
}
