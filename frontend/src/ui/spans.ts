import type { MessageId } from '~/app/messages';

const HOUR = 3_600_000;

/** Lengths of time that lists are filtered by. */
export const SPANS: { value: string; label: MessageId; ms: number }[] = [
  { value: 'hour', label: 'app.span.hour', ms: HOUR },
  { value: 'day', label: 'app.span.day', ms: 24 * HOUR },
  { value: 'week', label: 'app.span.week', ms: 7 * 24 * HOUR },
  { value: 'month', label: 'app.span.month', ms: 30 * 24 * HOUR },
];

/** The start of a span, rounded to the minute so that the question stays the same for a while. */
export function spanStart(value: string | undefined): string | undefined {
  const span = SPANS.find((one) => one.value === value);
  return span ? new Date(Math.floor((Date.now() - span.ms) / 60_000) * 60_000).toISOString() : undefined;
}
