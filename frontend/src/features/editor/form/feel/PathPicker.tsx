import { ActionIcon, Popover, Tooltip } from '@mantine/core';
import { useState } from 'react';
import { useT } from '~/app/messages';
import type { Translate } from '~/app/messages';
import { StepIcon } from '~/features/canvas/StepIcon';
import { IconDatabase } from '~/ui/icons';
import { PickList } from '../../canvas/PickList';
import type { PickItem } from '../../canvas/PickList';
import { flatPaths } from '../../document/paths';
import type { PathNode, PathSource } from '../../document/paths';
import { useForm } from '../FormContext';
import { sampleText } from '../sampleText';

const MOST = 400;

function itemsOf(sources: PathSource[], t: Translate): PickItem[] {
  return sources.flatMap((source) =>
    flatPaths([source]).map((node) => ({
      id: node.path,
      title: node.path.replace(/^(steps\.[a-z0-9_]+|trigger|run)\./, ''),
      detail: node.hasSample ? sampleText(node.sample) : t(TYPES[node.type]),
      group: source.title || t('editor.path.run'),
      words: node.path,
      icon: <StepIcon icon={source.icon} tint={source.tint} size={20} />,
    })),
  ).slice(0, MOST);
}

const TYPES = {
  text: 'editor.type.text', number: 'editor.type.number', boolean: 'editor.type.boolean', list: 'editor.type.list',
  context: 'editor.type.context', date: 'editor.type.date', null: 'editor.type.null', any: 'editor.type.any',
} as const;

/** Data of the trigger and of earlier steps, with what it was in the last run; choosing puts its path in. */
export function PathPicker({ onPick }: { onPick: (node: PathNode) => void }) {
  const t = useT();
  const [opened, setOpened] = useState(false);
  return (
    <Popover opened={opened} onChange={setOpened} position="bottom-end" width={340} trapFocus returnFocus withinPortal>
      <Popover.Target>
        <Tooltip label={t('editor.path.pick')} disabled={opened}>
          <ActionIcon aria-label={t('editor.path.pick')} aria-haspopup="dialog" aria-expanded={opened} onClick={() => setOpened(!opened)}>
            <IconDatabase size={16} aria-hidden />
          </ActionIcon>
        </Tooltip>
      </Popover.Target>
      <Popover.Dropdown aria-label={t('editor.path.pick')}>
        <Paths onPick={(node) => { setOpened(false); onPick(node); }} />
      </Popover.Dropdown>
    </Popover>
  );
}

/** Works out what there is to pick only once the list is open. */
function Paths({ onPick }: { onPick: (node: PathNode) => void }) {
  const t = useT();
  const form = useForm();
  const [sources] = useState(form.sources);
  return (
    <PickList
      label={t('editor.path.pick')}
      placeholder={t('editor.path.search')}
      items={itemsOf(sources, t)}
      note={form.sample ? t('editor.path.sample') : t('editor.path.no_sample')}
      onPick={(path) => {
        const node = flatPaths(sources).find((one) => one.path === path);
        if (node) onPick(node);
      }}
    />
  );
}
