using System.Text;
using System.Text.Json;
using Native.LibUsb.Generator.Clang;
using Native.LibUsb.Generator.Model;

namespace Native.LibUsb.Generator.Emit;

/// <summary>
/// Writes clang's record layouts as a JSON file for the tests. The file contains the size of each record and the offsets of its fields on each
/// target.
/// </summary>
internal static class LayoutTableEmitter
{
    public static string Emit(BindingModel model, ManagedLayout layout)
    {
        using var stream = new MemoryStream();
        using (var json = new Utf8JsonWriter(stream, new JsonWriterOptions { Indented = true, NewLine = "\n" }))
        {
            json.WriteStartObject();
            foreach (Target target in Target.All)
            {
                json.WriteStartObject(target.Triple);
                foreach (CRecord? record in model.Records.Where(record => record.Fields is not null))
                {
                    RecordLayout native = layout.Native(record, target);
                    json.WriteStartObject(record.Name);
                    json.WriteNumber("size", native.Size);
                    json.WriteStartObject("offsets");
                    foreach ((string? name, int offset) in native.Fields)
                        json.WriteNumber(name, offset);
                    json.WriteEndObject();
                    json.WriteEndObject();
                }

                json.WriteEndObject();
            }

            json.WriteEndObject();
        }

        return Encoding.UTF8.GetString(stream.ToArray()) + "\n";
    }
}
