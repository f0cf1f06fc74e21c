import { Popover } from '@mantine/core';
import { useEffect, useRef } from 'react';
import type { StepType } from '~/api/types';
import { useT } from '~/app/messages';
import { tintOf, useLookup } from '~/features/canvas/catalogue';
import { canContain, containerOf, insideOf } from '~/features/canvas/nesting';
import { StepIcon } from '~/features/canvas/StepIcon';
import { IconArrowBackUp } from '~/ui/icons';
import { useActions } from '../actions';
import { contains, newest, onwardPort, refusalOf } from '../document/ports';
import { useEditor } from '../store';
import { onStage, useView } from '../view';
import { firstLine } from './help';
import { PickList } from './PickList';

const WIDTH = 320;

/** The list that a `+`, a key or a link let go in the open brings up: what to add, or where to connect to. */
export function Asker() {
  const asking = useView((view) => view.asking);
  const before = useRef<HTMLElement | null>(null);
  useEffect(() => {
    if (asking) before.current = document.activeElement as HTMLElement | null;
  }, [asking]);
  if (!asking) return null;
  const close = () => {
    useView.setState({ asking: null });
    before.current?.focus({ preventScroll: true });
  };
  const at = { left: Math.min(asking.x, window.innerWidth - WIDTH - 16), top: asking.y };
  return (
    <Popover opened onChange={(opened) => { if (!opened) close(); }} onDismiss={close} position="bottom-start" width={WIDTH} trapFocus returnFocus={false} withinPortal>
      <Popover.Target>
        <div style={{ position: 'fixed', width: 1, height: 1, ...at }} />
      </Popover.Target>
      <Popover.Dropdown onKeyDown={(event) => { if (event.key === 'Escape') { event.stopPropagation(); close(); } }}>
        {asking.kind === 'add' ? <AddList /> : asking.kind === 'connect' ? <ConnectList /> : asking.kind === 'group' ? <GroupList ids={asking.ids} /> : <PutList ids={asking.ids} />}
      </Popover.Dropdown>
    </Popover>
  );
}

function AddList() {
  const t = useT();
  const types = useLookup();
  const actions = useActions();
  const asking = useView((view) => view.asking);
  if (asking?.kind !== 'add') return null;
  const { after, onLink, place, into, undoes, term } = asking;
  // Into a link only what goes on; a step that ends the run would cut it.
  // What takes another step back is a single step that goes on.
  const fits = (type: StepType) => (onLink === undefined || onwardPort(type) !== undefined) && (undoes === undefined || !contains(type));
  const offered = newest(types.steps).filter(fits);
  return (
    <PickList
      label={undoes === undefined ? t('editor.add.label') : t('editor.add.undoes', { title: actions.titleOf(undoes) })}
      placeholder={t('editor.add.search')}
      start={term}
      items={offered.map((type) => ({
        id: type.kind,
        title: type.title,
        detail: firstLine(type.help),
        group: type.category,
        icon: <StepIcon icon={type.icon} tint={tintOf(type)} size={24} />,
      }))}
      onPick={(kind) => {
        const type = offered.find((one) => one.kind === kind);
        useView.setState({ asking: null });
        if (type) onStage()?.focus({ step: actions.add(type, { after, onLink, place, into, undoes }) });
      }}
    />
  );
}

function ConnectList() {
  const t = useT();
  const types = useLookup();
  const actions = useActions();
  const document = useEditor((editor) => editor.document);
  const asking = useView((view) => view.asking);
  if (asking?.kind !== 'connect') return null;
  const { way } = asking;
  return (
    <PickList
      label={t('editor.connect.label', { title: actions.titleOf(way.from) })}
      placeholder={t('editor.connect.search')}
      items={Object.entries(document.steps)
        .filter(([id]) => id !== way.from && refusalOf(document, way, id, types) === null)
        .map(([id, step]) => {
          const type = types.step(step.type, step.version);
          return { id, title: step.title || id, detail: type?.title ?? step.type, words: id, icon: <StepIcon icon={type?.icon} tint={tintOf(type)} size={24} /> };
        })}
      onPick={(id) => {
        useView.setState({ asking: null });
        actions.connect(way, id);
        onStage()?.focus({ step: id });
      }}
    />
  );
}

/** Around what steps are grouped: each kind of step that contains others. */
function GroupList({ ids }: { ids: string[] }) {
  const t = useT();
  const types = useLookup();
  const actions = useActions();
  const offered = newest(types.steps).filter(contains);
  return (
    <PickList
      label={t('editor.group.label', { count: ids.length })}
      placeholder={t('editor.add.search')}
      items={offered.map((type) => ({ id: type.kind, title: type.title, detail: firstLine(type.help), icon: <StepIcon icon={type.icon} tint={tintOf(type)} size={24} /> }))}
      onPick={(kind) => {
        const type = offered.find((one) => one.kind === kind);
        useView.setState({ asking: null });
        const id = type ? actions.group(ids, type) : null;
        if (id !== null) onStage()?.focus({ step: id });
      }}
    />
  );
}

const TOP = '';

/** Where steps can be moved to: into a frame, or out of all of them. */
function PutList({ ids }: { ids: string[] }) {
  const t = useT();
  const types = useLookup();
  const actions = useActions();
  const document = useEditor((editor) => editor.document);
  const moving = ids.filter((id) => document.steps[id]);
  const isThere = (into: string | null) => moving.every((id) => containerOf(document, id) === into);
  const frames = Object.keys(document.steps).filter((id) => canContain(document, id, types) && !moving.includes(id) && !insideOf(document, moving).includes(id) && !isThere(id));
  const [first] = moving;
  const label = moving.length === 1 && first !== undefined ? t('editor.put.label', { title: actions.titleOf(first) }) : t('editor.put.label_many', { count: moving.length });
  return (
    <PickList
      label={label}
      placeholder={t('editor.put.search')}
      items={[
        ...(isThere(null) ? [] : [{ id: TOP, title: t('editor.put.out'), icon: <IconArrowBackUp size={24} aria-hidden /> }]),
        ...frames.map((id) => {
          const step = document.steps[id];
          const type = types.step(step?.type ?? '', step?.version);
          return { id, title: t('editor.put.into', { title: actions.titleOf(id) }), detail: type?.title, icon: <StepIcon icon={type?.icon} tint={tintOf(type)} size={24} /> };
        }),
      ]}
      none={t('editor.put.none')}
      onPick={(id) => {
        useView.setState({ asking: null });
        actions.put(moving, id === TOP ? null : id);
        if (first !== undefined) onStage()?.focus({ step: first });
      }}
    />
  );
}
