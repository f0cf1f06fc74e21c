import { Button, Checkbox, FileInput, Modal, Textarea } from '@mantine/core';
import { useState } from 'react';
import { useImportPeople, usePreviewImport } from '~/api/people';
import type { ImportLine } from '~/api/people';
import { useT } from '~/app/messages';
import { DataTable } from '~/ui/DataTable';
import type { Column } from '~/ui/DataTable';
import { notifyDone } from '~/ui/notify';
import { ProblemText } from '~/ui/ProblemText';
import classes from './Settings.module.css';

const base64 = (file: File) =>
  new Promise<string>((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(typeof reader.result === 'string' ? reader.result.replace(/^[^,]*,/, '') : '');
    reader.onerror = () => reject(new Error(file.name));
    reader.readAsDataURL(file);
  });

/** People from a CSV file: what each line would do is shown first, then all is kept at once. */
export function ImportPeople({ onClose }: { onClose: () => void }) {
  const t = useT();
  const preview = usePreviewImport();
  const keep = useImportPeople();
  const [file, setFile] = useState<string>();
  const [skip, setSkip] = useState(false);
  const [reason, setReason] = useState('');
  const lines = preview.data?.results ?? [];
  const bad = lines.filter((line) => line.problem).length;
  const choose = (chosen: File | null) => {
    preview.reset();
    keep.reset();
    setFile(undefined);
    if (chosen) void base64(chosen).then((content) => { setFile(content); preview.mutate(content); });
  };
  const apply = () =>
    file !== undefined && keep.mutate({ file, skip_bad: skip, reason }, { onSuccess: () => { notifyDone(t('settings.import.done', { count: lines.length - bad })); onClose(); } });
  return (
    <Modal opened onClose={onClose} size="xl" title={t('settings.import.title')} closeButtonProps={{ 'aria-label': t('app.close') }}>
      <div className={classes.form}>
        <FileInput label={t('settings.import.file')} description={t('settings.import.columns')} placeholder={t('settings.import.choose')} accept=".csv,text/csv" onChange={choose} />
        <ProblemText error={preview.error} />
        {lines.length > 0 ? (
          <>
            <p className={classes.text} role="status">{t('settings.import.found', { count: lines.length, bad })}</p>
            <div className={classes.scrolls}><Lines lines={lines} /></div>
            {bad > 0 ? <Checkbox label={t('settings.import.skip', { count: lines.length - bad })} checked={skip} onChange={(event) => setSkip(event.currentTarget.checked)} /> : null}
            <Textarea autosize minRows={1} maxLength={1000} label={t('app.reason_optional')} value={reason} onChange={(event) => setReason(event.currentTarget.value)} />
          </>
        ) : null}
        <ProblemText error={keep.error} />
        <div className={classes.buttons}>
          <Button onClick={onClose}>{t('app.cancel')}</Button>
          <Button variant="filled" loading={keep.isPending} disabled={lines.length === 0 || bad === lines.length || (bad > 0 && !skip)} onClick={apply}>{t('settings.import.keep')}</Button>
        </div>
      </div>
    </Modal>
  );
}

function Lines({ lines }: { lines: ImportLine[] }) {
  const t = useT();
  const columns: Column<ImportLine>[] = [
    { key: 'line', header: t('settings.import.line'), width: 64, cell: (line) => line.line },
    { key: 'mail', header: t('settings.people.column.name'), cell: (line) => line.mail },
    {
      key: 'what', header: t('settings.import.what'),
      cell: (line) =>
        line.problem ? (
          <span className={classes.problem}>{line.problem}</span>
        ) : (
          Object.entries(line.changes).map(([column, [before, after]]) => t('settings.import.change', { column, before: before || t('app.none'), after: after || t('app.none') })).join(' · ') || t('settings.import.same')
        ),
    },
  ];
  return <DataTable label={t('settings.import.title')} columns={columns} rows={lines} rowKey={(line) => String(line.line)} />;
}
