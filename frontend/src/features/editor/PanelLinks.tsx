import { ActionIcon, Tooltip } from '@mantine/core';
import type { ReactNode } from 'react';
import { useT } from '~/app/messages';
import { isSidePort, portOfLink, TRIGGER, useLookup } from '~/features/canvas/catalogue';
import { portsIn, portWord } from '~/features/canvas/graph';
import { BODY, containerOf, undoers } from '~/features/canvas/nesting';
import { IconLink, IconPlus, IconX } from '~/ui/icons';
import { useActions } from './actions';
import { linkKeys } from './document/links';
import classes from './SidePanel.module.css';
import { useEditor } from './store';
import { onStage, select, useView } from './view';

/** Where each way out leads; connecting and adding without the pointer, here and in the outline. */
export function PanelLinks({ id, children }: { id: string; children?: ReactNode }) {
  const t = useT();
  const types = useLookup();
  const document = useEditor((editor) => editor.document);
  const ports = portsIn(document, id, types);
  const keys = linkKeys(document.links);
  // What only takes others back has no ways.
  if (ports.length === 0 || undoers(document).has(id)) return children;
  return (
    <>
      <h3 className={classes.section}>{t('editor.ways')}</h3>
      {children}
      <ul className={classes.ways}>
        {ports.map((port) => (
          <Way
            key={port}
            id={id}
            port={port}
            // Inside a frame a way that leads on to nothing is a way that ends.
            open={t(containerOf(document, id) !== null && !isSidePort(port) && port !== BODY ? 'editor.way_ends' : 'editor.way_open')}
            name={id === TRIGGER ? t('editor.way') : portWord(document, id, port, types, t)}
            links={document.links.flatMap((link, at) => (link.from === id && portOfLink(link.port, ports) === port ? [{ to: link.to, key: keys[at] ?? '' }] : []))}
          />
        ))}
      </ul>
    </>
  );
}

interface WayProps {
  id: string;
  port: string;
  name: string;
  /** What is said where it leads nowhere. */
  open: string;
  links: { to: string; key: string }[];
}

function Way({ id, port, name, open, links }: WayProps) {
  const t = useT();
  const actions = useActions();
  const readOnly = useEditor((editor) => editor.readOnly);
  const way = { from: id, port };
  const ask = (asking: { kind: 'add'; after: typeof way } | { kind: 'connect'; way: typeof way }, element: HTMLElement) => {
    const box = element.getBoundingClientRect();
    useView.setState({ asking: { ...asking, x: box.left, y: box.bottom } });
  };
  const button = (label: string, glyph: ReactNode, act: (element: HTMLElement) => void) => (
    <Tooltip label={label}>
      <ActionIcon aria-label={label} onClick={(event) => act(event.currentTarget)}>{glyph}</ActionIcon>
    </Tooltip>
  );
  const show = (to: string) => {
    select([to]);
    onStage()?.reveal(to);
  };
  return (
    <li>
      <div className={classes.way}>
        <span>
          <strong>{name}</strong>
          {links.length === 0 ? <span className={classes.nowhere}>{` ${open}`}</span> : null}
        </span>
        {readOnly ? null : (
          <>
            {button(t('editor.connect_port', { port: name }), <IconLink size={16} aria-hidden />, (element) => ask({ kind: 'connect', way }, element))}
            {button(t('editor.add_port', { port: name }), <IconPlus size={16} aria-hidden />, (element) => ask({ kind: 'add', after: way }, element))}
          </>
        )}
      </div>
      {links.length > 0 ? (
        <ul>
          {links.map(({ to, key }) => (
            <li key={key} className={classes.way}>
              <button type="button" className={classes.go} onClick={() => show(to)}>{t('editor.way_to', { title: actions.titleOf(to) })}</button>
              {readOnly ? null : button(t('editor.disconnect', { title: actions.titleOf(to) }), <IconX size={16} aria-hidden />, () => { actions.disconnect(key); select([id]); })}
            </li>
          ))}
        </ul>
      ) : null}
    </li>
  );
}
