import { Offline, Problem } from '~/api/problem';
import { useT } from '~/app/messages';
import type { Translate } from '~/app/messages';
import { IconAlertCircle } from './icons';
import classes from './ProblemText.module.css';

export function problemSentence(error: unknown, t: Translate): string {
  if (error instanceof Offline) return t('app.offline.text');
  if (error instanceof Problem && error.message) return error.message;
  return t('app.error.text');
}

/** The server's sentence about why something was refused, beside what was tried. */
export function ProblemText({ error }: { error: unknown }) {
  const t = useT();
  if (!error) return null;
  return (
    <div className={classes.problem} role="alert">
      <IconAlertCircle size={16} aria-hidden />
      <span>{problemSentence(error, t)}</span>
    </div>
  );
}
