import { Popover } from '@mantine/core';
import { useEffect, useRef } from 'react';
import { useT } from '~/app/messages';
import { tintOf, useLookup } from '~/features/canvas/catalogue';
import { StepIcon } from '~/features/canvas/StepIcon';
import { useActions } from '../actions';
import { newest, onwardPort } from '../document/ports';
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
        {asking.kind === 'add' ? <AddList /> : <ConnectList />}
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
  const { after, onLink, place } = asking;
  // Into a link only what goes on; a step that ends the run would cut it.
  const offered = newest(types.steps).filter((type) => onLink === undefined || onwardPort(type) !== undefined);
  return (
    <PickList
      label={t('editor.add.label')}
      placeholder={t('editor.add.search')}
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
        if (type) onStage()?.focus({ step: actions.add(type, { after, onLink, place }) });
      }}
    />
  );
}

function ConnectList() {
  const t = useT();
  const types = useLookup();
  const actions = useActions();
  const steps = useEditor((editor) => editor.document.steps);
  const asking = useView((view) => view.asking);
  if (asking?.kind !== 'connect') return null;
  const { way } = asking;
  return (
    <PickList
      label={t('editor.connect.label', { title: actions.titleOf(way.from) })}
      placeholder={t('editor.connect.search')}
      items={Object.entries(steps)
        .filter(([id]) => id !== way.from)
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
