using Native.LibUsb.Generator.Docs;
using Native.LibUsb.Generator.Model;

namespace Native.LibUsb.Generator.Emit;

/// <summary>
/// Writes the enums. Their underlying type is <c>int</c> on every platform. Some C compilers use an unsigned type, but every value of libusb's enums has the
/// same bits in a signed and in an unsigned type.
/// </summary>
internal static class EnumsEmitter
{
    public static string Emit(BindingModel model, DocLibrary docs)
    {
        CodeWriter code = model.Enums.Any(model.IsFlags) ? CodeWriter.Start("System") : CodeWriter.Start();
        code.Line("namespace Native.LibUsb.Interop;");
        foreach (CEnum item in model.Enums)
        {
            DocText text = docs["enum", item.Name];
            code.Line();
            code.Doc("summary", text.Summary);
            code.Doc("remarks", text.Remarks);
            if (model.IsFlags(item))
                code.Line("[Flags]");
            code.Open($"public enum {item.Name} : int");
            foreach (CEnumMember member in item.Members)
            {
                if (text.Parts.Count > 0)
                    code.Gap();
                code.Doc("summary", text.Parts.GetValueOrDefault(member.Name));
                code.Line($"{member.Name} = {Identifiers.Number(member.Value, member.IsHexadecimal)},");
            }

            code.Close();
        }

        return code.ToString();
    }
}
