using Native.LibUsb.Generator.Docs;
using Native.LibUsb.Generator.Model;

namespace Native.LibUsb.Generator.Emit;

/// <summary>Writes the macros as constants. If a macro is an alias for an enum member, the constant has the type of the enum.</summary>
internal static class ConstantsEmitter
{
    public static string Emit(BindingModel model, DocLibrary docs)
    {
        var code = CodeWriter.Start();
        code.Line("namespace Native.LibUsb.Interop;");
        code.Line();
        code.Open("public static unsafe partial class libusb");
        foreach (CConstant constant in model.Constants)
        {
            code.Gap();
            code.Doc("summary", docs["constant", constant.Name].Summary);
            (string? type, string? value) = constant.Member is { } member ? (member.Enum, $"{member.Enum}.{member.Member}")
                : (Type(constant.Value), Identifiers.Number(constant.Value, constant.IsHexadecimal));
            code.Line($"public const {type} {constant.Name} = {value};");
        }

        code.Close();
        return code.ToString();
    }

    // The type is int if the value fits, because lengths and codes are also int in C#.
    private static string Type(long value) => value is >= int.MinValue and <= int.MaxValue ? "int" : value is >= 0 and <= uint.MaxValue ? "uint" : "long";
}
