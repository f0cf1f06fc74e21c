import { Button } from '@mantine/core';
import { useT } from '~/app/messages';
import { IconPlus, IconTrash } from '~/ui/icons';
import { useActions } from './actions';
import { findLink } from './document/links';
import { FlowPanel } from './FlowPanel';
import classes from './SidePanel.module.css';
import { useEditor } from './store';
import { useView } from './view';

/** The selected link: what it joins, and what can be done with it. */
export function LinkPanel({ link, flowId }: { link: string; flowId: string }) {
  const t = useT();
  const actions = useActions();
  const found = useEditor(({ document }) => document.links[findLink(document, link)]);
  const readOnly = useEditor((editor) => editor.readOnly);
  if (!found) return <FlowPanel flowId={flowId} />;
  const values = { from: actions.titleOf(found.from), to: actions.titleOf(found.to) };
  return (
    <>
      <div className={classes.head}><div className={classes.kind}><h2>{t('editor.link')}</h2></div></div>
      <p className={classes.note}>{found.port ? t('editor.link.from_port', { ...values, port: found.port }) : t('editor.link.from', values)}</p>
      {readOnly ? null : (
        <div className={classes.buttons}>
          <Button
            leftSection={<IconPlus size={16} aria-hidden />}
            onClick={(event) => {
              const box = event.currentTarget.getBoundingClientRect();
              useView.setState({ asking: { kind: 'add', onLink: link, x: box.left, y: box.bottom } });
            }}
          >
            {t('editor.link.insert')}
          </Button>
          <Button leftSection={<IconTrash size={16} aria-hidden />} onClick={() => actions.disconnect(link)}>{t('editor.delete')}</Button>
        </div>
      )}
    </>
  );
}
