import { Button, Tooltip } from '@mantine/core';
import { useEntryProof } from '~/api/audit';
import { useRight } from '~/api/me';
import { useT } from '~/app/messages';
import { IconCircleDashed, IconDownload, IconShieldCheck, IconShieldX } from '~/ui/icons';
import { ProblemText } from '~/ui/ProblemText';
import classes from './Audit.module.css';

const GLYPHS = { verified: IconShieldCheck, unsealed: IconCircleDashed, altered: IconShieldX };

/** Whether the entry is as it was sealed, and the proof to take away. */
export function EntryProof({ id }: { id: string }) {
  const t = useT();
  const { data: proof, error } = useEntryProof(id);
  const mayExport = useRight('export.read');
  if (error) return <ProblemText error={error} />;
  if (!proof) return <p className={classes.hint} role="status">{t('audit.proof.reading')}</p>;
  const Glyph = GLYPHS[proof.state];
  return (
    <section className={classes.proof} data-state={proof.state} aria-label={t('audit.proof')}>
      <p className={classes.verdict} role="status">
        <Glyph size={20} aria-hidden />
        {t(`audit.proof.${proof.state}`, { seal: proof.seal })}
      </p>
      {proof.problems.length > 0 ? (
        <ul className={classes.problems}>{proof.problems.map(({ message }) => <li key={message}>{message}</li>)}</ul>
      ) : proof.state === 'verified' ? (
        <p className={classes.hint}>{t('audit.proof.how', { place: (proof.place ?? 0) + 1, count: proof.count, steps: proof.steps })}</p>
      ) : null}
      {mayExport && proof.state !== 'unsealed' ? (
        <div className={classes.links}>
          <Tooltip label={t('audit.proof.hint')}>
            <Button component="a" href={`/api/v1/audit/${id}/proof/`} download leftSection={<IconDownload size={16} aria-hidden />}>{t('audit.proof.download')}</Button>
          </Tooltip>
          <Button component="a" href="/api/v1/audit/verifier/" download>{t('audit.proof.verifier')}</Button>
        </div>
      ) : null}
    </section>
  );
}
