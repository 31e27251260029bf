using System.Diagnostics;

namespace Native.LibUsb.Interop;

/// <summary>
/// Records the C type of a parameter, return value or field if the C# type is less precise. Only debug builds of this library contain the attribute.
/// </summary>
[Conditional("DEBUG")]
[AttributeUsage(AttributeTargets.Parameter | AttributeTargets.ReturnValue | AttributeTargets.Field | AttributeTargets.Property)]
internal sealed class NativeTypeNameAttribute(string name) : Attribute
{
    /// <summary>Gets the type as C writes it.</summary>
    public string Name { get; } = name;
}
