import { MultiSelect, NumberInput } from '@mantine/core';
import { ExactNumber } from '~/api/exact';
import { useT } from '~/app/messages';
import type { MessageId } from '~/app/messages';
import { useForm } from '../FormContext';
import type { Schema } from '../schema';
import classes from './Builder.module.css';
import type { QuestionKind } from './model';

interface Limit {
  word: string;
  label: MessageId;
  least: number;
  most?: number;
}

const CHARACTERS: Limit[] = [{ word: 'minLength', label: 'editor.limit.characters_least', least: 0 }, { word: 'maxLength', label: 'editor.limit.characters_most', least: 1 }];
const NUMBERS: Limit[] = [{ word: 'minimum', label: 'editor.limit.least', least: -Infinity }, { word: 'maximum', label: 'editor.limit.most', least: -Infinity }];
const ITEMS: Limit[] = [{ word: 'minItems', label: 'editor.limit.items_least', least: 0 }, { word: 'maxItems', label: 'editor.limit.items_most', least: 1 }];
const LIMITS: Partial<Record<QuestionKind, Limit[]>> = {
  text: CHARACTERS, long: CHARACTERS, number: NUMBERS, whole: NUMBERS, amount: NUMBERS, several: ITEMS, texts: ITEMS, table: ITEMS,
  files: [{ word: 'maxItems', label: 'editor.limit.files_most', least: 1, most: 10 }, { word: 'x-max-mb', label: 'editor.limit.megabytes', least: 1, most: 10 }],
};
const FAMILIES: Record<string, MessageId> = { pdf: 'editor.files.pdf', image: 'editor.files.image', office: 'editor.files.office', text: 'editor.files.text' };

/** What an answer may be at least and at most; empty is no limit. */
export function Limits({ kind, schema, onChange }: { kind: QuestionKind; schema: Schema; onChange: (schema: Schema) => void }) {
  const t = useT();
  const { readOnly, settle } = useForm();
  const limits = LIMITS[kind] ?? [];
  if (limits.length === 0) return null;
  const put = (word: string, value: unknown) => {
    const { [word]: _before, ...kept } = schema;
    onChange(value === undefined ? kept : { ...kept, [word]: value });
  };
  const accepted = Array.isArray(schema['x-accept']) ? (schema['x-accept'] as unknown[]).map(String) : [];
  return (
    <>
      {kind === 'files' ? (
        <MultiSelect
          label={t('editor.files.kinds')}
          placeholder={accepted.length === 0 ? t('editor.files.all') : undefined}
          disabled={readOnly}
          data={Object.entries(FAMILIES).map(([value, label]) => ({ value, label: t(label) }))}
          value={accepted}
          onChange={(next) => { put('x-accept', next.length > 0 ? next : undefined); settle(); }}
        />
      ) : null}
      <div className={classes.limits}>
        {limits.map(({ word, label, least, most }) => {
          const now = schema[word];
          return (
            <NumberInput
              key={word}
              label={t(label)}
              disabled={readOnly}
              {...(least === -Infinity ? {} : { min: least })}
              {...(most === undefined ? {} : { max: most })}
              allowDecimal={least === -Infinity && kind !== 'whole'}
              clampBehavior="blur"
              value={now instanceof ExactNumber ? now.source : typeof now === 'number' ? now : ''}
              onBlur={settle}
              onChange={(next) => put(word, next === '' ? undefined : typeof next === 'number' ? next : new ExactNumber(next))}
            />
          );
        })}
      </div>
    </>
  );
}
