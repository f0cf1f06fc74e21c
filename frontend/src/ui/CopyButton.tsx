import { ActionIcon, Button, Tooltip } from '@mantine/core';
import { useClipboard } from '@mantine/hooks';
import { useT } from '~/app/messages';
import { IconCheck, IconCopy } from './icons';

/** Copies `value`. `what` names it for the tooltip and a screen reader; `words` shows it as a button with text. */
export function CopyButton({ value, what, words }: { value: string; what: string; words?: boolean }) {
  const t = useT();
  const clipboard = useClipboard({ timeout: 1500 });
  const label = clipboard.copied ? t('app.copied') : t('app.copy', { what });
  const Glyph = clipboard.copied ? IconCheck : IconCopy;
  if (words) {
    return (
      <Button leftSection={<Glyph size={16} aria-hidden />} onClick={() => clipboard.copy(value)}>
        {label}
      </Button>
    );
  }
  return (
    <Tooltip label={label}>
      <ActionIcon size="xs" aria-label={label} onClick={() => clipboard.copy(value)}>
        <Glyph size={16} aria-hidden />
      </ActionIcon>
    </Tooltip>
  );
}
