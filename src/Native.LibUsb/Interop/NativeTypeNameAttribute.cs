using System.Diagnostics;

namespace Native.LibUsb.Interop;

/// <summary>The C type, where the C# type says less. For readers only: release builds do not carry it.</summary>
[Conditional("DEBUG")]
[AttributeUsage(AttributeTargets.Parameter | AttributeTargets.ReturnValue | AttributeTargets.Field)]
internal sealed class NativeTypeNameAttribute(string name) : Attribute
{
    public string Name { get; } = name;
}
