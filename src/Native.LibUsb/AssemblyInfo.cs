using System.Runtime.CompilerServices;

// Every native signature is blittable: the runtime marshals nothing, so nothing is copied or allocated at the boundary,
// and what the ahead-of-time compiler emits is what the just-in-time compiler emits.
[assembly: DisableRuntimeMarshalling]
