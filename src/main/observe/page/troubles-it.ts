/** What a page can say of the table of troubles, in Italian. Pure. What is not here is shown in English. */
import type { TroubleCode } from '../../troubles.js';
import type { TroubleWords } from './words.js';

export const TROUBLES_IT: Readonly<Partial<Record<TroubleCode, TroubleWords>>> = {
  'no-link': {
    title: 'nessun collegamento di rete',
    meaning: 'nessuna interfaccia è attiva e ha segnale',
    remedy: 'Guarda il cavo, il punto di accesso Wi-Fi e la sua password: ip link, nmcli device',
  },
  'no-route': {
    title: 'nessun indirizzo o nessuna via d’uscita',
    meaning: 'il collegamento c’è, ma manca un indirizzo o una via d’uscita',
    remedy:
      'La rete non ha dato a questa macchina un indirizzo o una via d’uscita: guarda il server DHCP, cioè il router: ip address, ip route',
  },
  portal: {
    title: 'portale di accesso o certificato altrui',
    meaning:
      'risponde il certificato o la pagina di qualcun altro: un portale di accesso, un nome dirottato, un proxy che intercetta',
    remedy:
      'Qualcun altro risponde al posto del sito di prova: accedi al Wi-Fi con un browser, o chiedi a chi gestisce la rete di lasciar passare questo dispositivo',
  },
  'no-ca-store': {
    title: 'mancano i certificati delle autorità',
    meaning: 'nessuno garantisce per il certificato del sito, e questo sistema non ha certificati di autorità',
    remedy:
      'sudo apt install ca-certificates, poi sudo systemctl restart dunebugger-remote; per un’autorità della casa vedi [Network] caFile',
  },
  clock: {
    title: 'l’orologio di questa macchina è sbagliato',
    meaning: 'il certificato non è valido all’ora di questa macchina, e il colpevole più probabile è l’orologio',
    remedy:
      'Regolalo: timedatectl lo mostra, systemd-timesyncd lo regola dalla rete (NTP, porta UDP 123); un Pi senza batteria lo dimentica quando è spento',
  },
  'dns-timeout': {
    title: 'il server dei nomi tace',
    meaning: 'nessun server dei nomi ha risposto, e nemmeno l’ultimo indirizzo che funzionava',
    remedy: 'La linea o il server dei nomi è morto: guarda il router e /etc/resolv.conf',
  },
  'dns-failed': {
    title: 'il server dei nomi non conosce l’indirizzo',
    meaning: 'un server dei nomi ha risposto, ma non con un indirizzo',
    remedy: 'Guarda [Websocket] testDomain, e il router se il nome è giusto',
  },
  proxy: {
    title: 'il proxy non apre la via',
    meaning: 'il proxy di [Network] httpsProxy o HTTPS_PROXY non c’è, o non lascia passare niente',
    remedy: 'Guarda il proxy, e [Network] httpsProxy',
  },
  'tcp-timeout': {
    title: 'il sito di prova non risponde',
    meaning: 'i nomi si risolvono, ma l’indirizzo del sito non risponde',
    remedy: 'I nomi si risolvono ma non torna niente: una linea morta, o un firewall che blocca la porta 443',
  },
  'tcp-refused': {
    title: 'il sito di prova rifiuta i collegamenti',
    meaning: 'il collegamento viene rifiutato',
    remedy: 'Il sito di prova o un firewall rifiuta la porta 443: prova da un’altra rete',
  },
  'tls-failed': {
    title: 'la cifratura TLS non riesce',
    meaning: 'l’accordo TLS è fallito in un altro modo, o non è finito',
    remedy:
      'Un certificato scaduto del sito di prova, un proxy in mezzo, o una linea che perde i pacchetti grandi: confronta da un’altra rete',
  },
  'http-timeout': {
    title: 'il sito di prova non manda risposta',
    meaning: 'il collegamento c’è, ma non arriva una risposta HTTP',
    remedy: 'Una linea sovraccarica, o un guasto del sito di prova stesso',
  },
  'no-internet': {
    title: 'niente internet',
    meaning: 'il collegamento al cloud è chiuso, e non si tenta nulla finché internet non torna',
    remedy: 'Guarda il motivo indicato',
  },
  'test-site-down': {
    title: 'il sito di prova non va, internet c’è',
    meaning:
      'il sito di prova non risponde, ma il collegamento al cloud sì, o un altro sito mostra il suo certificato: internet conta come presente',
    remedy: 'Dillo a chi gestisce il sito, o indicane un altro in [Websocket] testDomain',
  },
  'sign-in-refused': {
    title: 'accesso rifiutato',
    meaning: 'una credenziale o l’account è sbagliato, o non ha diritti',
    remedy:
      'Il messaggio dice quale credenziale o impostazione guardare; poi systemctl reload dunebugger-remote, che accede subito',
  },
  'sign-in-unanswered': {
    title: 'l’accesso non dà risposta',
    meaning: 'il server di accesso non ha risposto in tempo; si riprova da sé',
    remedy: 'Di solito niente: se continua, guarda la linea e lo stato di Auth0',
  },
  'cloud-throttled': {
    title: 'il cloud chiede una pausa',
    meaning: 'il servizio o l’accesso ha avuto troppe richieste, e ha chiesto di aspettare',
    remedy: 'Niente: si riprova dopo la pausa; se torna spesso, guarda quanti dispositivi hanno lo stesso account',
  },
  'cloud-busy': {
    title: 'il cloud è occupato',
    meaning: 'il servizio ha chiesto di tornare più tardi',
    remedy: 'Niente: si riprova dopo la pausa',
  },
  'cloud-failed': {
    title: 'il collegamento al cloud non riesce',
    meaning: 'internet c’è, ma il cloud non si è potuto raggiungere; si riprova da sé',
    remedy: 'Guarda il messaggio; se continua, lo stato di Azure Web PubSub e il firewall',
  },
  'cloud-interrupted': {
    title: 'collegamento al cloud interrotto',
    meaning: 'il collegamento è caduto e viene ripreso; non si perde nulla',
    remedy: 'Niente; se succede spesso, guarda la linea',
  },
  'cloud-lost': {
    title: 'collegamento al cloud perso',
    meaning: 'il collegamento è caduto e se ne apre uno nuovo',
    remedy: 'Niente; se succede spesso, guarda la linea',
  },
  'bus-away': {
    title: 'il bus non c’è',
    meaning: 'nessun server NATS risponde; core e scheduler non si raggiungono',
    remedy: 'Guarda nats-server e [MessageQueue] mQueueServers; si riprova da sé',
  },
  'component-away': {
    title: 'un componente non risponde',
    meaning: 'core o scheduler non ha mandato niente per 45 s',
    remedy: 'Guarda il registro di quel componente',
  },
  'second-remote': {
    title: 'un altro controllore nel gruppo o sul bus',
    meaning:
      'un secondo remote, come il vecchio contenitore o un altro Pi, ha lo stesso gruppo o bus: i comandi possono essere eseguiti due volte',
    remedy:
      'Su questo Pi: sudo dunebugger-remote migrate mostra come togliere il vecchio contenitore, --apply lo fa; altrimenti dai all’altra macchina un WS_GROUP_NAME e un bus propri',
  },
  'system-refuses': {
    title: 'il sistema rifiuta ciò che serve al servizio',
    meaning:
      'mancano file aperti, memoria, processi o thread, o un recinto lo vieta; di internet non dice nulla, quindi l’ultimo esito vale ancora',
    remedy:
      'Guarda: systemctl show dunebugger-remote -p LimitNOFILE,TasksMax,MemoryMax, free, cat /proc/sys/fs/file-nr',
  },
  'not-healthy': {
    title: 'non in salute',
    meaning: 'una parte del servizio non funziona più; systemd lo riavvia se continua',
    remedy: 'Per ora niente; se torna, segnalalo',
  },
  'clock-far-off': {
    title: 'l’orologio è sbagliato di più di un giorno',
    meaning: 'il sito di prova indica un altro giorno; gli orari nel registro sono sbagliati',
    remedy: 'Guarda timedatectl; fa’ raggiungere a systemd-timesyncd un server NTP (porta UDP 123)',
  },
  'clock-untrusted': {
    title: 'l’orologio non è affidabile',
    meaning: 'nessun server dell’ora ha regolato l’orologio; lo scheduler lo sa e salta le sue azioni',
    remedy: 'Guarda timedatectl; fa’ raggiungere a systemd-timesyncd un server NTP, o imposta [NTP] ntpServers',
  },
};
