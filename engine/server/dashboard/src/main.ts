import { mount } from 'svelte';
import App from './App.svelte';
import './style/base.css';

document.body.replaceChildren();
mount(App, { target: document.body });
