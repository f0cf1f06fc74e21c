import { Button, Modal, Textarea } from '@mantine/core';
import { useState } from 'react';
import { useReassign } from '~/api/people';
import type { Member } from '~/api/types';
import { useT } from '~/app/messages';
import { ChoosePerson } from '~/ui/ChoosePerson';
import { ProblemText } from '~/ui/ProblemText';
import classes from './Settings.module.css';

/** All open tasks of a person to somebody else, with a reason and a result for each. */
export function ReassignDialog({ member, onClose }: { member: Member; onClose: () => void }) {
  const t = useT();
  const reassign = useReassign();
  const [to, setTo] = useState('');
  const [reason, setReason] = useState('');
  const results = reassign.data?.results;
  return (
    <Modal opened onClose={onClose} size="lg" title={t('settings.reassign.title', { name: member.name || member.email })} closeButtonProps={{ 'aria-label': t('app.close') }}>
      <div className={classes.form}>
        {results ? (
          <ul className={classes.plainList} role="status">
            {results.length === 0 ? <li>{t('settings.reassign.none')}</li> : null}
            {results.map((one) => (
              <li key={one.task}>{one.title}: <span className={classes.state} data-tone={one.problem ? 'failed' : 'done'}>{one.problem || t('settings.reassign.moved')}</span></li>
            ))}
          </ul>
        ) : (
          <>
            <p className={classes.text}>{t('settings.reassign.text')}</p>
            <ChoosePerson label={t('settings.leaver.to')} value={to} onChange={setTo} but={[member.email]} />
            <Textarea required autosize minRows={2} maxLength={2000} label={t('app.reason')} value={reason} onChange={(event) => setReason(event.currentTarget.value)} />
            <ProblemText error={reassign.error} />
          </>
        )}
        <div className={classes.buttons}>
          <Button onClick={onClose}>{t(results ? 'app.close' : 'app.cancel')}</Button>
          {results ? null : <Button variant="filled" loading={reassign.isPending} disabled={!to || !reason.trim()} onClick={() => reassign.mutate({ person: member.user_id, to, reason })}>{t('settings.reassign')}</Button>}
        </div>
      </div>
    </Modal>
  );
}
