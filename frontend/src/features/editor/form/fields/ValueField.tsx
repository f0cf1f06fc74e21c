import { ActionIcon, Button, Input, Menu, NumberInput, SegmentedControl, TextInput, Tooltip } from '@mantine/core';
import { ExactNumber } from '~/api/exact';
import { useT } from '~/app/messages';
import type { MessageId } from '~/app/messages';
import { IconBan, IconBraces, IconHash, IconKey, IconLetterT, IconList, IconPlus, IconSelector, IconToggleLeft, IconTrash } from '~/ui/icons';
import type { Icon } from '~/ui/icons';
import classes from '../Form.module.css';
import { useForm, usePathError } from '../FormContext';
import { MapperButton } from '../mapper/Mapper';
import { getAt, isRecord, pathName } from '../schema';
import type { Path } from '../schema';
import type { FieldProps } from '../SchemaField';
import { convert, isSecretRef, kindOfValue } from '../values';
import type { ValueKind } from '../values';
import { TemplateInput } from './ExpressionField';
import { ErrorLine } from './ErrorLine';
import { MapRows } from './MapField';
import { SecretChoice } from './SecretField';
import { useFieldFrame } from './basics';

const KINDS: Record<ValueKind, { label: MessageId; icon: Icon }> = {
  text: { label: 'editor.kind.text', icon: IconLetterT },
  number: { label: 'editor.kind.number', icon: IconHash },
  boolean: { label: 'editor.kind.boolean', icon: IconToggleLeft },
  fields: { label: 'editor.kind.fields', icon: IconBraces },
  list: { label: 'editor.kind.list', icon: IconList },
  secret: { label: 'editor.kind.secret', icon: IconKey },
  nothing: { label: 'editor.kind.nothing', icon: IconBan },
};

const isNothing = (value: unknown): boolean => value === null || value === undefined;

/** Any value: a text or expression, or structure made of rows. */
export function ValueField({ field, path, value, required }: FieldProps) {
  const { frame } = useFieldFrame({ field, path, required });
  const { disabled: _disabled, ...words } = frame;
  return (
    <Input.Wrapper {...words} labelElement="div">
      <ValueEditor label={field.title} path={path} value={value} secrets={field.secret} />
      {isRecord(value) && !isSecretRef(value) || isNothing(value) ? <MapperButton title={field.title} path={path} value={value} secrets={field.secret} /> : null}
    </Input.Wrapper>
  );
}

interface EditorProps {
  label: string;
  path: Path;
  value: unknown;
  secrets: boolean;
  /** Kinds that may be chosen; all where it is left out. */
  kinds?: ValueKind[];
}

/** What the check says of one entry, where its field does not say so itself. */
export function EntryError({ path, value, secrets }: Pick<EditorProps, 'path' | 'value' | 'secrets'>) {
  const error = usePathError(path);
  const warning = useForm().warnings.get(pathName(path));
  const kind = kindOfValue(value, secrets);
  return (
    <>
      {kind === 'number' || kind === 'secret' ? null : <ErrorLine>{error}</ErrorLine>}
      {warning && !error ? <p className={classes.warning}>{warning}</p> : null}
    </>
  );
}

/** One value with the choice of what it is. */
export function ValueEditor({ label, path, value, secrets, kinds }: EditorProps) {
  const kind = kindOfValue(value, secrets);
  const form = useForm();
  const nested = kind === 'fields' || kind === 'list';
  return (
    <>
      <div className={classes.line}>
        <div className={classes.grow}>{kind === 'nothing' && !form.readOnly ? <KindMenu full label={label} path={path} value={value} kind={kind} secrets={secrets} kinds={kinds} /> : nested ? <NestedHead value={value} /> : <Simple label={label} path={path} value={value} kind={kind} />}</div>
        {kind === 'nothing' ? null : <KindMenu label={label} path={path} value={value} kind={kind} secrets={secrets} kinds={kinds} />}
      </div>
      {kind === 'fields' && isRecord(value) ? <div className={classes.nested}><MapRows path={path} value={value} secrets={secrets} /></div> : null}
      {kind === 'list' && Array.isArray(value) ? <div className={classes.nested}><ListRows label={label} path={path} value={value as unknown[]} secrets={secrets} /></div> : null}
    </>
  );
}

function NestedHead({ value }: { value: unknown }) {
  const t = useT();
  const count = Object.keys(value as object).length;
  return <Input.Description mt={8}>{t(Array.isArray(value) ? 'editor.form.list_of' : 'editor.form.fields_of', { count })}</Input.Description>;
}

function Simple({ label, path, value, kind }: { label: string; path: Path; value: unknown; kind: ValueKind }) {
  const t = useT();
  const form = useForm();
  const error = usePathError(path);
  if (kind === 'number') {
    return (
      <NumberInput
        aria-label={label}
        error={error}
        disabled={form.readOnly}
        value={value instanceof ExactNumber ? value.source : (value as number)}
        onChange={(next) => form.set(path, typeof next === 'number' ? next : next === '' ? 0 : new ExactNumber(next))}
        onBlur={form.settle}
      />
    );
  }
  if (kind === 'boolean') {
    const data = [{ value: 'true', label: t('editor.form.yes') }, { value: 'false', label: t('editor.form.no') }];
    return <SegmentedControl fullWidth aria-label={label} disabled={form.readOnly} data={data} value={String(value)} onChange={(next) => form.set(path, next === 'true')} />;
  }
  if (kind === 'secret' && isSecretRef(value)) {
    return (
      <div className={classes.rows}>
        <SecretChoice label={t('editor.kind.secret')} hideLabel disabled={form.readOnly} error={error} value={value.secret} onChange={(secret) => form.set([...path, 'secret'], secret)} />
        <TextInput aria-label={t('editor.secret.prefix')} placeholder={t('editor.secret.prefix')} disabled={form.readOnly} value={value.prefix ?? ''} onChange={(event) => form.set([...path, 'prefix'], event.currentTarget.value || undefined)} onBlur={form.settle} />
      </div>
    );
  }
  if (kind === 'nothing') return <Input.Description mt={8}>{t('editor.form.nothing')}</Input.Description>;
  return <TemplateInput label={label} error={Boolean(error)} value={value as string} onChange={(next) => form.set(path, next)} />;
}

function KindMenu({ label, path, value, kind, secrets, kinds, full }: EditorProps & { kind: ValueKind; full?: boolean }) {
  const t = useT();
  const form = useForm();
  const offered = (kinds ?? (Object.keys(KINDS) as ValueKind[])).filter((one) => one !== 'secret' || secrets);
  const Glyph = KINDS[kind].icon;
  const name = t('editor.form.kind', { title: label, kind: t(KINDS[kind].label) });
  if (form.readOnly || offered.length < 2) return null;
  return (
    <Menu withinPortal>
      <Menu.Target>
        {full ? (
          <Button aria-label={name} className={classes.choose} rightSection={<IconSelector size={16} aria-hidden />}>{t(KINDS[kind].label)}</Button>
        ) : (
          <Tooltip label={name}>
            <ActionIcon aria-label={name} variant="default"><Glyph size={16} aria-hidden /></ActionIcon>
          </Tooltip>
        )}
      </Menu.Target>
      <Menu.Dropdown>
        {offered.map((one) => {
          const Shown = KINDS[one].icon;
          return (
            <Menu.Item key={one} leftSection={<Shown size={16} aria-hidden />} onClick={() => { if (one !== kind) form.set(path, convert(value, one)); }}>
              {t(KINDS[one].label)}
            </Menu.Item>
          );
        })}
      </Menu.Dropdown>
    </Menu>
  );
}

function ListRows({ label, path, value, secrets }: { label: string; path: Path; value: unknown[]; secrets: boolean }) {
  const t = useT();
  const form = useForm();
  const now = () => { const list = getAt(form.current(), path); return Array.isArray(list) ? (list as unknown[]) : []; };
  return (
    <div className={classes.rows}>
      {value.map((one, index) => (
        <div key={index} className={classes.line}>
          <div className={classes.grow}><ValueEditor label={t('editor.form.row', { title: label, at: index + 1 })} path={[...path, index]} value={one} secrets={secrets} /><EntryError path={[...path, index]} value={one} secrets={secrets} /></div>
          {form.readOnly ? null : (
            <ActionIcon aria-label={t('editor.form.remove', { at: index + 1 })} onClick={() => form.set(path, now().filter((_part, at) => at !== index))}><IconTrash size={16} aria-hidden /></ActionIcon>
          )}
        </div>
      ))}
      {form.readOnly ? null : <Button size="xs" className={classes.add} leftSection={<IconPlus size={16} aria-hidden />} onClick={() => form.set(path, [...now(), ''])}>{t('editor.form.add_entry')}</Button>}
    </div>
  );
}
