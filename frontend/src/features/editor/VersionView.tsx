import { Button } from '@mantine/core';
import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import { useMediaQuery } from '@mantine/hooks';
import { nameOf } from '~/api/types';
import type { Flow, FlowDocument, FlowVersion } from '~/api/types';
import { useT } from '~/app/messages';
import { TRIGGER, useLookup } from '~/features/canvas/catalogue';
import { FlowCanvas } from '~/features/canvas/FlowCanvas';
import { Outline } from '~/features/canvas/Outline';
import { IconEye } from '~/ui/icons';
import { LinkButton } from '~/ui/LinkButton';
import { RelativeTime } from '~/ui/RelativeTime';
import { breakpoints } from '~/ui/tokens';
import type { Revision } from './compare/api';
import { Values } from '~/ui/Values';
import classes from './Editor.module.css';
import side from './SidePanel.module.css';

/** A published version, to look at: it never changes. */
export function VersionView({ flow, version }: { flow: Flow; version: FlowVersion & { document: FlowDocument; authors?: { name: string }[] } }) {
  const t = useT();
  const wrote = version.authors?.map(({ name }) => name).join(', ');
  return (
    <Still
      flow={flow}
      document={version.document}
      compare={{ from: String(version.number) }}
      changed={{ from: version.number > 1 ? String(version.number - 1) : 'empty', to: String(version.number) }}
      text={t(wrote ? 'versions.by_whom' : 'versions.published_by', { number: version.number, author: nameOf(version.author), wrote: wrote ?? '' })}
      note={version.note}
      at={version.created_at}
    />
  );
}

/** What the draft was after one save. */
export function RevisionView({ flow, revision }: { flow: Flow; revision: Revision & { document: FlowDocument } }) {
  const t = useT();
  return (
    <Still
      flow={flow}
      document={revision.document}
      compare={{ from: `r${revision.number}` }}
      text={t('versions.revision.text', { number: revision.number, author: nameOf(revision.author) })}
      at={revision.created_at}
    />
  );
}

// eslint-disable-next-line @typescript-eslint/consistent-type-definitions -- the router's search takes a type, not an interface
type Sides = { from: string; to?: string };

interface Props {
  flow: Flow;
  document: FlowDocument;
  /** The search of the page that compares it with the draft. */
  compare: Sides;
  /** The search of the page that says what it changed. */
  changed?: Sides;
  text: string;
  note?: string;
  at: string;
}

function Still({ flow, document, compare, changed, text, note, at }: Props) {
  const t = useT();
  const types = useLookup();
  const [selected, setSelected] = useState<string>();
  const narrow = useMediaQuery(`(max-width: ${breakpoints.tablet}px)`);
  const part = selected === TRIGGER ? document.trigger : selected === undefined ? undefined : document.steps[selected];
  return (
    <div className={classes.editor}>
      <div className={classes.bar} data-tone="info" role="status">
        <IconEye size={16} aria-hidden />
        <p>{text} <RelativeTime at={at} />{note ? <><br />{note}</> : null}</p>
        {changed ? <LinkButton size="xs" to="/flows/$flowId/compare/" params={{ flowId: flow.id }} search={changed}>{t('versions.what_changed')}</LinkButton> : null}
        <LinkButton size="xs" to="/flows/$flowId/compare/" params={{ flowId: flow.id }} search={compare}>{t('versions.compare_draft')}</LinkButton>
        <Button size="xs" component={Link} to={`/flows/${flow.id}/`}>{t('editor.version.back')}</Button>
      </div>
      <div className={classes.work}>
        {narrow ? (
          <Outline document={document} types={types} selected={selected} onSelect={setSelected} />
        ) : (
          <FlowCanvas document={document} types={types} selected={selected} onSelect={setSelected} />
        )}
        {part ? (
          <div className={side.side} style={{ width: 360 }}>
            <aside className={side.panel} aria-label={t('editor.panel')}>
              <Values label={'title' in part && typeof part['title'] === 'string' ? part['title'] : t('canvas.trigger')} value={part.config} />
            </aside>
          </div>
        ) : null}
      </div>
    </div>
  );
}
