import { ActionIcon, Menu } from '@mantine/core';
import { useT } from '~/app/messages';
import { IconDots } from '~/ui/icons';
import type { Icon } from '~/ui/icons';

export interface RowAction {
  label: string;
  icon: Icon;
  act: () => void;
}

/** What can be done with one row of a list. */
export function RowMenu({ name, actions }: { name: string; actions: RowAction[] }) {
  const t = useT();
  if (actions.length === 0) return null;
  return (
    <Menu width={200}>
      <Menu.Target>
        <ActionIcon size="xs" aria-label={t('app.actions_for', { name })}>
          <IconDots size={16} aria-hidden />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        {actions.map(({ label, icon: Glyph, act }) => (
          <Menu.Item key={label} leftSection={<Glyph size={16} aria-hidden />} onClick={act}>{label}</Menu.Item>
        ))}
      </Menu.Dropdown>
    </Menu>
  );
}
