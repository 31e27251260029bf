// Does nothing: what starting a program costs that contains the runtime only.
return 0;
