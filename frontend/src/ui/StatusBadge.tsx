import type { FlowState, RunStatus, TaskItem } from '~/api/types';
import { useT } from '~/app/messages';
import type { MessageId } from '~/app/messages';
import {
  IconAlertTriangle, IconArchive, IconBan, IconCircleCheck, IconCircleDashed, IconClock,
  IconHourglass, IconLoader2, IconPlayerPause,
} from './icons';
import type { Icon } from './icons';
import classes from './StatusBadge.module.css';
import type { Status } from './tokens';

export type AnyStatus = RunStatus | FlowState | TaskItem['status'] | 'unpublished' | 'skipped' | 'retrying' | 'ready';

interface Look {
  tone: Status;
  icon: Icon;
}

const LOOKS: Record<AnyStatus, Look> = {
  queued: { tone: 'cancelled', icon: IconClock },
  running: { tone: 'running', icon: IconLoader2 },
  ready: { tone: 'running', icon: IconClock },
  retrying: { tone: 'running', icon: IconLoader2 },
  waiting: { tone: 'waiting', icon: IconHourglass },
  paused: { tone: 'waiting', icon: IconPlayerPause },
  cancelling: { tone: 'cancelled', icon: IconBan },
  completed: { tone: 'done', icon: IconCircleCheck },
  failed: { tone: 'failed', icon: IconAlertTriangle },
  cancelled: { tone: 'cancelled', icon: IconBan },
  skipped: { tone: 'cancelled', icon: IconCircleDashed },
  active: { tone: 'done', icon: IconCircleCheck },
  archived: { tone: 'cancelled', icon: IconArchive },
  unpublished: { tone: 'cancelled', icon: IconCircleDashed },
  open: { tone: 'waiting', icon: IconHourglass },
  decided: { tone: 'done', icon: IconCircleCheck },
  timed_out: { tone: 'failed', icon: IconClock },
};

const UNKNOWN: Look = { tone: 'cancelled', icon: IconCircleDashed };

/** Colour and icon of a status; words of the server that are not known here stay neutral. */
export const lookOf = (status: string): Look => LOOKS[status as AnyStatus] ?? UNKNOWN;

const LABELS: Record<AnyStatus, MessageId> = {
  queued: 'app.status.queued',
  running: 'app.status.running',
  retrying: 'app.status.retrying',
  ready: 'app.status.ready',
  waiting: 'app.status.waiting',
  paused: 'app.status.paused',
  cancelling: 'app.status.cancelling',
  completed: 'app.status.completed',
  failed: 'app.status.failed',
  cancelled: 'app.status.cancelled',
  skipped: 'app.status.skipped',
  active: 'app.status.active',
  archived: 'app.status.archived',
  unpublished: 'app.status.unpublished',
  open: 'app.status.open',
  decided: 'app.status.decided',
  timed_out: 'app.status.timed_out',
};

export function useStatusLabel(): (status: string) => string {
  const t = useT();
  return (status) => (status in LABELS ? t(LABELS[status as AnyStatus]) : status);
}

/** A status as icon, word and colour: never colour alone. */
export function StatusBadge({ status, label }: { status: string; label?: string }) {
  const words = useStatusLabel();
  const { tone, icon: Glyph } = lookOf(status);
  return (
    <span className={classes.badge} data-tone={tone} data-status={status}>
      <Glyph size={14} aria-hidden />
      {label ?? words(status)}
    </span>
  );
}
