using System.Runtime.CompilerServices;

// Every native signature is blittable, so the runtime need not marshal arguments. A native call copies and allocates nothing, and the ahead-of-time compiler
// emits the same code for the call as the just-in-time compiler.
[assembly: DisableRuntimeMarshalling]
