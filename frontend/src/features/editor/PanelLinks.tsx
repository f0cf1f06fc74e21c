import { ActionIcon, Button, Tooltip } from '@mantine/core';
import { useT } from '~/app/messages';
import { portOfLink, TRIGGER, useLookup } from '~/features/canvas/catalogue';
import { portsIn } from '~/features/canvas/graph';
import { IconLink, IconPlus, IconX } from '~/ui/icons';
import { useActions } from './actions';
import { linkKeys } from './document/links';
import classes from './SidePanel.module.css';
import { useEditor } from './store';
import { select, useView } from './view';

/** Where each way out leads; connecting without the pointer, and the same in the outline. */
export function PanelLinks({ id }: { id: string }) {
  const t = useT();
  const types = useLookup();
  const actions = useActions();
  const document = useEditor((editor) => editor.document);
  const readOnly = useEditor((editor) => editor.readOnly);
  const ports = portsIn(document, id, types);
  const keys = linkKeys(document.links);
  if (ports.length === 0) return null;
  const ask = (kind: 'add' | 'connect', port: string, element: HTMLElement) => {
    const box = element.getBoundingClientRect();
    const way = { from: id, port };
    useView.setState({ asking: kind === 'add' ? { kind, after: way, x: box.left, y: box.bottom } : { kind, way, x: box.left, y: box.bottom } });
  };
  return (
    <>
      <h3 className={classes.section}>{t('editor.ways')}</h3>
      <ul className={classes.links}>
        {ports.map((port) => {
          const links = document.links.flatMap((link, at) => (link.from === id && portOfLink(link.port, ports) === port ? [{ link, key: keys[at] ?? '' }] : []));
          const named = id !== TRIGGER && ports.length > 1;
          const name = named ? port : t('editor.way');
          return [
            ...links.map(({ link, key }) => (
              <li key={key}>
                <span>{t('editor.way_to', { port: name, title: actions.titleOf(link.to) })}</span>
                <Button size="xs" variant="subtle" onClick={() => select([link.to])}>{t('editor.show')}</Button>
                {readOnly ? null : (
                  <Tooltip label={t('editor.disconnect', { title: actions.titleOf(link.to) })}>
                    <ActionIcon size="xs" aria-label={t('editor.disconnect', { title: actions.titleOf(link.to) })} onClick={() => { actions.disconnect(key); select([id]); }}><IconX size={16} aria-hidden /></ActionIcon>
                  </Tooltip>
                )}
              </li>
            )),
            readOnly ? null : (
              <li key={`port:${port}`}>
                <span>{links.length === 0 ? t('editor.way_open', { port: name }) : t('editor.way_more', { port: name })}</span>
                <Button size="xs" leftSection={<IconLink size={16} aria-hidden />} aria-label={t('editor.connect_port', { port: name })} onClick={(event) => ask('connect', port, event.currentTarget)}>{t('editor.connect')}</Button>
                <Button size="xs" leftSection={<IconPlus size={16} aria-hidden />} aria-label={t('editor.add_port', { port: name })} onClick={(event) => ask('add', port, event.currentTarget)}>{t('editor.add')}</Button>
              </li>
            ),
          ];
        })}
      </ul>
    </>
  );
}
