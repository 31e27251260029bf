using System.Diagnostics;

namespace Native.LibUsb.Interop;

/// <summary>Keeps the C type of a parameter, return value or field where the C# type says less. Written to debug builds only.</summary>
[Conditional("DEBUG")]
[AttributeUsage(AttributeTargets.Parameter | AttributeTargets.ReturnValue | AttributeTargets.Field | AttributeTargets.Property)]
internal sealed class NativeTypeNameAttribute(string name) : Attribute
{
    /// <summary>Gets the type as C writes it.</summary>
    public string Name { get; } = name;
}
