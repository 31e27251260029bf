using Native.LibUsb.Generator.Docs;
using Native.LibUsb.Generator.Model;

namespace Native.LibUsb.Generator.Emit;

/// <summary>
/// Writes the callback types as aliases of function pointers. An alias cannot have documentation, so the texts become plain comments. An alias is visible only
/// in the project that contains it, so other projects must write the complete function pointer type.
/// </summary>
internal static class CallbacksEmitter
{
    public static string Emit(BindingModel model, DocLibrary docs)
    {
        var code = CodeWriter.Start();
        foreach (CCallback callback in model.Callbacks)
        {
            DocText text = docs["callback", callback.Name];
            code.Gap();
            code.Comment(text.Summary);
            code.Comment(text.Remarks);
            for (int i = 0; i < callback.Parameters.Count; i++)
            {
                CParameter parameter = callback.Parameters[i];
                if (text.Parts.TryGetValue(parameter.Name, out string? part))
                    code.Comment($"{parameter.Name}: {part}");
            }

            if (text.Returns is not null)
                code.Comment($"returns: {text.Returns}");
            code.Line($"global using unsafe {callback.Name} = {Qualified(model, callback)};");
        }

        return code.ToString();
    }

    // A global using alias precedes every namespace, so its types need their full names.
    private static string Qualified(BindingModel model, CCallback callback)
    {
        IEnumerable<string> types = callback.Type.Parameters.Append(callback.Type.Returns).Select(type =>
        {
            string name = model.Types.Map(type);
            return char.IsAsciiLetterLower(name[0]) && !model.Types.IsDeclared(name.TrimEnd('*')) ? name : $"Native.LibUsb.Interop.{name}";
        });
        return $"delegate* unmanaged<{string.Join(", ", types)}>";
    }
}
