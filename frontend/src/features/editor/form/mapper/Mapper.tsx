import { Button, Drawer, TextInput } from '@mantine/core';
import { useRef, useState } from 'react';
import type { DragEvent } from 'react';
import { flushSync } from 'react-dom';
import { useT } from '~/app/messages';
import type { MessageId } from '~/app/messages';
import { IconArrowsMaximize, IconGripVertical, IconSearch } from '~/ui/icons';
import { kindOf, KINDS } from '../../contract/shape';
import type { Part } from '../../contract/shape';
import type { PathNode, PathSource } from '../../document/paths';
import { say } from '../../view';
import { asExpression } from '../feel/text';
import { EntryError, ValueEditor } from '../fields/ValueField';
import { useForm } from '../FormContext';
import { sampleText } from '../sampleText';
import { getAt, isRecord } from '../schema';
import type { Path } from '../schema';
import classes from './Mapper.module.css';
import { useNeeds } from './needs';
import { nameFor, offeredOf, targetsOf } from './rows';
import type { Target } from './rows';

const TYPES: Record<PathNode['type'], MessageId> = {
  text: 'editor.type.text', number: 'editor.type.number', boolean: 'editor.type.boolean', list: 'editor.type.list',
  context: 'editor.type.context', date: 'editor.type.date', null: 'editor.type.null', any: 'editor.type.any',
};
/** What is dragged is named by a type of its own, so that no other text drops into a field. */
const CARRIED = 'application/x-signalbox-path';

interface Props {
  title: string;
  path: Path;
  value: unknown;
  secrets?: boolean;
}

/** A button that opens the two columns: what is available beside what is needed. The flow stays in view. */
export function MapperButton(props: Props) {
  const t = useT();
  const form = useForm();
  const [opened, setOpened] = useState(false);
  const needs = useNeeds(form.owner, props.path);
  if (form.readOnly) return null;
  return (
    <>
      <Button size="xs" variant="subtle" leftSection={<IconArrowsMaximize size={16} aria-hidden />} aria-haspopup="dialog" onClick={() => setOpened(true)}>{t('editor.map.open')}</Button>
      <Drawer
        opened={opened}
        onClose={() => setOpened(false)}
        position="bottom"
        size="min(560px, 64vh)"
        title={t('editor.map.title', { title: props.title })}
        withOverlay={false}
        lockScroll={false}
        closeOnEscape={false}
        returnFocus
        closeButtonProps={{ 'aria-label': t('editor.map.close') }}
      >
        {opened ? <Mapper {...props} needs={needs} onClose={() => setOpened(false)} /> : null}
      </Drawer>
    </>
  );
}

function Mapper({ path, value, secrets, needs, onClose }: Props & { needs: Part[]; onClose: () => void }) {
  const t = useT();
  const form = useForm();
  const [held, setHeld] = useState<PathNode | null>(null);
  const [sources] = useState(form.sources);
  const columns = useRef<HTMLDivElement>(null);
  const now = () => { const here = getAt(form.current(), path); return isRecord(here) ? here : {}; };
  const given = isRecord(value) ? value : {};

  /** The places to put it go with what was held, so the focus goes back to the value. */
  const letGo = () => {
    if (!held) return;
    flushSync(() => setHeld(null));
    [...(columns.current?.querySelectorAll<HTMLElement>('[data-path]') ?? [])].find((one) => one.dataset['path'] === held.path)?.focus();
  };
  const put = (name: string, node: PathNode) => {
    form.set([...path], { ...now(), [name]: asExpression(node.path) });
    form.settle();
    letGo();
    say(t('editor.map.set', { name, path: node.path }));
  };
  const hold = (node: PathNode) => {
    if (held?.path === node.path) return setHeld(null);
    // What is held goes to a field next: the first that lacks a value, else the first.
    flushSync(() => setHeld(node));
    const fields = columns.current?.querySelectorAll<HTMLElement>('[data-put]') ?? [];
    ([...fields].find((field) => field.closest('[data-missing]')) ?? fields[0])?.focus();
    say(t('editor.map.held', { path: node.path }));
  };
  const find = (carried: string) => offeredOf(sources, '').flatMap((one) => one.nodes).find((node) => node.path === carried);
  const drop = (carried: string, name?: string) => {
    const node = find(carried);
    if (node) put(name ?? nameFor(node, now()), node);
  };

  return (
    // eslint-disable-next-line jsx-a11y/no-static-element-interactions -- Escape lets go of what is held; with nothing held it closes the whole
    <div ref={columns} className={classes.columns} onKeyDown={(event) => { if (event.key === 'Escape' && event.currentTarget.contains(event.target as Node)) { if (held) letGo(); else onClose(); } }}>
      <Available sources={sources} held={held} onHold={hold} />
      <section className={classes.column} aria-label={t('editor.map.needed')}>
        <h3 className={classes.head}>{t('editor.map.needed')}</h3>
        <p className={classes.help}>{held ? t('editor.map.held', { path: held.path }) : t('editor.map.help')}</p>
        {targetsOf(needs, given).map((target) => (
          <TargetRow key={target.name} target={target} path={path} held={held} secrets={secrets === true} onPut={put} onDrop={drop} />
        ))}
        <NewField held={held} onPut={(node) => put(nameFor(node, now()), node)} onDrop={drop} />
      </section>
    </div>
  );
}

interface AvailableProps {
  sources: PathSource[];
  held: PathNode | null;
  onHold: (node: PathNode) => void;
}

/** What can be read here: with types, sample values and what it means. */
function Available({ sources, held, onHold }: AvailableProps) {
  const t = useT();
  const [wanted, setWanted] = useState('');
  const offered = offeredOf(sources, wanted);
  return (
    <section className={classes.column} aria-label={t('editor.map.available')}>
      <h3 className={classes.head}>{t('editor.map.available')}</h3>
      <TextInput size="xs" data-autofocus aria-label={t('editor.map.search')} placeholder={t('editor.map.search')} leftSection={<IconSearch size={16} aria-hidden />} value={wanted} onChange={(event) => setWanted(event.currentTarget.value)} />
      {offered.length === 0 ? <p className={classes.help}>{t('editor.map.none')}</p> : null}
      {offered.map((source) => (
        <div key={source.id} role="group" aria-label={source.title || t('editor.path.run')}>
          <h4 className={classes.source}>{source.title || t('editor.path.run')}</h4>
          {source.nodes.map((node) => (
            <button
              key={node.path}
              type="button"
              className={classes.node}
              draggable
              data-path={node.path}
              aria-pressed={held?.path === node.path}
              onDragStart={(event) => { event.dataTransfer.setData(CARRIED, node.path); event.dataTransfer.effectAllowed = 'copy'; }}
              onClick={() => onHold(node)}
            >
              <IconGripVertical size={16} aria-hidden />
              <span className={classes.path}>{node.path}</span>
              <span className={classes.type}>{t(TYPES[node.type])}</span>
              {node.meaning ? <span className={classes.meaning} dir="auto">{node.meaning}</span> : null}
              <span className={classes.sample}>{node.hasSample ? sampleText(node.sample, 80) : t('editor.map.no_sample')}</span>
            </button>
          ))}
        </div>
      ))}
    </section>
  );
}

/** What lets a path be dropped. */
const landing = (onDrop: (path: string) => void) => ({
  onDragOver: (event: DragEvent) => { if (event.dataTransfer.types.includes(CARRIED)) event.preventDefault(); },
  onDrop: (event: DragEvent) => {
    const path = event.dataTransfer.getData(CARRIED);
    if (path === '') return;
    event.preventDefault();
    onDrop(path);
  },
});

interface RowProps {
  target: Target;
  path: Path;
  held: PathNode | null;
  secrets: boolean;
  onPut: (name: string, node: PathNode) => void;
  onDrop: (path: string, name: string) => void;
}

function TargetRow({ target, path, held, secrets, onPut, onDrop }: RowProps) {
  const t = useT();
  const { name, required, part, value } = target;
  const here = [...path, name];
  const meaning = part?.schema['description'] ?? part?.schema['title'];
  const isMissing = required && (value === undefined || value === '');
  const { onDragOver, onDrop: dropped } = landing((carried) => onDrop(carried, name));
  return (
    <div className={classes.target} role="group" aria-label={name} data-missing={isMissing || undefined} onDragOver={onDragOver} onDrop={dropped}>
      <div className={classes.named}>
        <code>{name}</code>
        {part ? <span className={classes.type}>{t(KINDS[kindOf(part.schema)])}</span> : null}
        {required ? <span className={classes.required}>{t('editor.map.required')}</span> : null}
        {held ? <Button size="compact-xs" data-put aria-label={t('editor.map.put_into', { path: held.path, name })} onClick={() => onPut(name, held)}>{t('editor.map.put')}</Button> : null}
      </div>
      {typeof meaning === 'string' ? <p className={classes.help} dir="auto">{meaning}</p> : null}
      <ValueEditor label={name} path={here} value={value ?? ''} secrets={secrets} />
      <EntryError path={here} value={value ?? ''} secrets={secrets} />
    </div>
  );
}

function NewField({ held, onPut, onDrop }: { held: PathNode | null; onPut: (node: PathNode) => void; onDrop: (path: string) => void }) {
  const t = useT();
  const { onDragOver, onDrop: dropped } = landing(onDrop);
  return (
    <div className={classes.fresh} role="group" aria-label={t('editor.map.new')} onDragOver={onDragOver} onDrop={dropped}>
      {held ? <Button size="xs" data-put aria-label={t('editor.map.put_new', { path: held.path })} onClick={() => onPut(held)}>{t('editor.map.new')}</Button> : <span>{t('editor.map.drop_new')}</span>}
    </div>
  );
}
