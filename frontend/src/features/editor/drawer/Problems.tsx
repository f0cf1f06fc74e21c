import { useT } from '~/app/messages';
import { bySeverity, useFindings } from '../findings';
import { useEditor } from '../store';
import classes from './Drawer.module.css';
import { FindingRow } from './FindingRow';

/** Everything the check found, worst first. */
export function Problems() {
  const t = useT();
  const findings = useFindings((state) => state.findings);
  const status = useFindings((state) => state.status);
  const readOnly = useEditor((editor) => editor.readOnly);
  // Who may only look is not told what the check would say; nothing is asked of the server.
  if (readOnly) return <p className={classes.none}>{t('editor.read_only')}</p>;
  if (status === 'failed') return <p className={classes.none}>{t('editor.findings.failed')}</p>;
  if (findings.length === 0) return <p className={classes.none}>{status === 'checking' ? t('editor.findings.checking') : t('editor.findings.none')}</p>;
  return (
    <ul className={classes.list}>
      {[...findings].sort(bySeverity).map((finding, at) => <FindingRow key={`${finding.code}${finding.step ?? ''}${at}`} finding={finding} />)}
    </ul>
  );
}
