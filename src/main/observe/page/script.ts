/** What the page does where there is script: it takes over the parts that have changed, as they come (EventSource of the HTML standard). */
export const SCRIPT = `
const gone=document.getElementById('gone');
const source=new EventSource('events');
source.onmessage=({data})=>{for(const [id,html] of Object.entries(JSON.parse(data))){if(id==='title')document.title=html;else{const part=document.getElementById(id);if(part)part.innerHTML=html}}};
source.onopen=()=>{gone.hidden=true};
source.onerror=()=>{gone.hidden=false};
`.trim();
