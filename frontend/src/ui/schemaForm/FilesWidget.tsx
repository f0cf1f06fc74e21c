import { ActionIcon, Button, FileButton, Input } from '@mantine/core';
import type { WidgetProps } from '@rjsf/utils';
import { useState } from 'react';
import { useIntl } from 'react-intl';
import { api, upload } from '~/api/client';
import { useT } from '~/app/messages';
import { FileLink, isFile, sizeOf } from '~/ui/FileLink';
import type { KeptFile } from '~/ui/FileLink';
import { IconTrash, IconUpload } from '~/ui/icons';
import { problemSentence } from '~/ui/ProblemText';
import type { Schema } from './answers';
import type { Fault } from './faults';
import classes from './SchemaForm.module.css';

const ACCEPTED: Record<string, string> = {
  pdf: '.pdf', image: '.png,.jpg,.jpeg,.gif,.webp', office: '.docx,.xlsx,.pptx,.odt,.ods,.odp', text: '.txt,.csv',
};

/** Files are sent at once and named in the answer; they belong to the request only when that is sent. */
export function FilesWidget({ id, name, label, value, required, disabled, readonly, rawErrors, onChange, schema, registry }: WidgetProps) {
  const t = useT();
  const { locale } = useIntl();
  const [busy, setBusy] = useState(false);
  const [problems, setProblems] = useState<string[]>([]);
  const { flow, faults = [] } = (registry.formContext ?? {}) as { flow?: string; faults?: Fault[] };
  const files = Array.isArray(value) ? (value as unknown[]).filter(isFile) : [];
  const most = typeof schema.maxItems === 'number' ? schema.maxItems : 10;
  const kinds = (schema as Schema)['x-accept'];
  const accept = (Array.isArray(kinds) ? (kinds as unknown[]) : Object.keys(ACCEPTED)).flatMap((one) => ACCEPTED[String(one)] ?? []).join(',');
  const mine = faults.filter((one) => one.path.startsWith(`${name}.`)).map((one) => one.message);
  const said = [...(rawErrors ?? []), ...mine, ...problems];
  const add = async (chosen: File[]) => {
    setBusy(true);
    const kept: KeptFile[] = [];
    const refused: string[] = [];
    for (const file of chosen.slice(0, most - files.length)) {
      try {
        kept.push(await upload<KeptFile>('files/', { form: flow ?? '', field: name }, file));
      } catch (error) {
        refused.push(t('requests.file_refused', { name: file.name, reason: problemSentence(error, t) }));
      }
    }
    if (chosen.length > most - files.length) refused.push(t('requests.file_most', { most }));
    setProblems(refused);
    setBusy(false);
    if (kept.length > 0) onChange([...files, ...kept]);
  };
  const remove = (file: KeptFile) => {
    setProblems([]);
    const left = files.filter((one) => one.id !== file.id);
    onChange(left.length > 0 ? left : undefined);
    // Where it is gone already there is nothing more to do; what is left over goes by itself.
    void api.delete(`files/${file.id}/`).catch(() => undefined);
  };
  const isFixed = disabled ?? readonly;
  return (
    <Input.Wrapper id={id} label={label} labelElement="div" description={schema.description} withAsterisk={required} error={said.length > 0 ? said.join(' ') : undefined}>
      {files.length > 0 ? (
        <ul className={classes.files}>
          {files.map((file) => (
            <li key={file.id} className={classes.file}>
              <span><FileLink file={file} /></span>
              <small>{sizeOf(file.size, locale)}</small>
              {isFixed ? null : (
                <ActionIcon aria-label={t('requests.remove_file', { name: file.name })} onClick={() => remove(file)}><IconTrash size={16} aria-hidden /></ActionIcon>
              )}
            </li>
          ))}
        </ul>
      ) : null}
      {isFixed || files.length >= most ? null : flow ? (
        <FileButton multiple={most > 1} accept={accept} onChange={(chosen) => void add(Array.isArray(chosen) ? chosen : chosen ? [chosen] : [])}>
          {(props) => <Button {...props} size="xs" mt={8} loading={busy} leftSection={<IconUpload size={16} aria-hidden />}>{t('requests.add_file')}</Button>}
        </FileButton>
      ) : <p className={classes.none}>{t('requests.files_there')}</p>}
    </Input.Wrapper>
  );
}
