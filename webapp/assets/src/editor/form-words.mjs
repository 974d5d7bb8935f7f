// What the editor of forms says in Vietnamese: its palette and its panel, by the sentence in English.
export const FORM_WORDS = {
  '<none>': '<không>', 'A comma-separated list of': 'Danh sách cách nhau bằng dấu phẩy các', Action: 'Hành động', 'Add properties directly to the form schema, useful to configure functionality in custom-built task applications and form renderers.': 'Ghi thuộc tính thẳng vào tệp biểu mẫu: name_en, description_en… là chữ tiếng Anh.',
  'Allows arbitrary precision values': 'Cho phép số lẻ bất kỳ', Appearance: 'Hiển thị', Auto: 'Tự động', 'Binds to a form variable': 'Tên biến giữ câu trả lời', Bottom: 'Dưới', Browse: 'Chọn tệp', Button: 'Nút', Center: 'Giữa', Checkbox: 'Ô đánh dấu', 'Checkbox group': 'Nhóm ô đánh dấu', Checked: 'Đã đánh dấu', 'Not checked': 'Chưa đánh dấu',
  'Click to set a dynamic value with FEEL expression': 'Bấm để dùng biểu thức FEEL', 'Click to set a static value': 'Bấm để ghi giá trị cố định', Columns: 'Số cột', Components: 'Thành phần', Condition: 'Điều kiện', 'Condition under which the field is hidden': 'Khi điều kiện này đúng thì ô bị ẩn', Constraints: 'Giới hạn', Containers: 'Khung chứa', Create: 'Thêm',
  'Create new list item': 'Thêm mục', Custom: 'Tự đặt', 'Custom properties': 'Thuộc tính thêm', 'Custom regular expression': 'Biểu thức chính quy', Date: 'Ngày', 'Date & Time': 'Ngày và giờ', 'Date label': 'Nhãn của ngày', 'Date time': 'Ngày giờ', 'Decimal digits': 'Số chữ số lẻ', Decrement: 'Giảm', Increment: 'Tăng', 'Default value': 'Giá trị có sẵn',
  'Delete item': 'Xóa mục', Disabled: 'Không cho nhập', 'Disallow past dates': 'Không cho chọn ngày đã qua', 'Document preview': 'Xem văn bản', 'Drag and drop components here.': 'Kéo thành phần thả vào đây.', 'Dynamic list': 'Danh sách thêm bớt', Email: 'Thư điện tử', Expression: 'Biểu thức', 'FEEL expression is mandatory': 'Phải là biểu thức FEEL',
  'Field description': 'Chú giải của ô', 'Field label': 'Nhãn của ô', 'File picker': 'Tệp đính kèm', Form: 'Biểu mẫu', General: 'Chung', Group: 'Nhóm', 'Group label': 'Nhãn của nhóm', 'HTML view': 'Đoạn HTML', Height: 'Chiều cao', 'Hide if': 'Ẩn khi', ID: 'Mã', 'Image view': 'Hình', Input: 'Nhập liệu', 'Input data': 'Dữ liệu vào', Key: 'Khóa', Label: 'Nhãn', Layout: 'Bố trí',
  'Learn more': 'Xem thêm', 'List contains 1 item': 'Có 1 mục', Maximum: 'Lớn nhất', 'Maximum length': 'Dài nhất', Minimum: 'Nhỏ nhất', 'Minimum length': 'Ngắn nhất', 'No files selected': 'Chưa chọn tệp', 'No timezone': 'Không múi giờ', Number: 'Số', 'Open pop-up editor': 'Mở ô soạn lớn', 'Options source': 'Nguồn lựa chọn', 'Output as string': 'Lưu dạng chữ', Path: 'Đường dẫn', Phone: 'Điện thoại',
  Prefix: 'Chữ đứng trước', Presentation: 'Trình bày', 'Radio group': 'Nhóm chọn một', 'Read only': 'Chỉ đọc', Required: 'Bắt buộc', 'Search components': 'Tìm thành phần', Searchable: 'Tìm được', 'Section contains edits': 'Mục này đã có nội dung', 'Section contains an error': 'Mục này có lỗi', Select: 'Danh sách chọn', Selection: 'Lựa chọn', Separator: 'Đường kẻ', Serialization: 'Cách lưu', 'Show outline': 'Có viền', Spacer: 'Khoảng trống',
  Static: 'Cố định', 'Static options': 'Lựa chọn cố định', Subtype: 'Loại con', Suffix: 'Chữ đứng sau', 'Supported file formats': 'Loại tệp nhận', 'Supports markdown and templating.': 'Dùng được markdown.', Table: 'Bảng', 'Tag list': 'Danh sách nhãn', Text: 'Chữ', 'Text area': 'Ô chữ nhiều dòng', 'Text field': 'Ô chữ', 'Text view': 'Đoạn chữ', Time: 'Giờ', 'Time format': 'Dạng giờ', 'Time interval': 'Bước giờ', 'Time label': 'Nhãn của giờ',
  'Toggle list item': 'Mở, đóng mục', 'Toggle section': 'Mở, đóng mục', Top: 'Trên', Type: 'Loại', 'UTC normalized': 'Theo giờ UTC', 'UTC offset': 'Kèm độ lệch UTC', 'Upload multiple files': 'Nhận nhiều tệp', 'Use 24h': 'Dùng 24 giờ', Validation: 'Kiểm tra', 'Validation pattern': 'Mẫu kiểm tra', Value: 'Giá trị', 'Version tag': 'Nhãn phiên bản', 'Vertical alignment': 'Căn theo chiều dọc',
  'Where the child variables of this component are pathed to.': 'Nơi giữ biến của các thành phần bên trong.', 'file type specifiers': 'loại tệp', iFrame: 'Khung trang', 'Open documentation': 'Mở tài liệu', 'Form properties': 'Thuộc tính biểu mẫu', 'Select a form field to edit its properties.': 'Chọn một ô để sửa thuộc tính.', 'Multiple form fields are selected. Select a single form field to edit its properties.': 'Đang chọn nhiều ô; hãy chọn một ô để sửa thuộc tính.',
  'Must not be empty.': 'Không được để trống.', 'Must be unique.': 'Không được trùng.', 'Must not contain whitespace.': 'Không được có khoảng trắng.', 'Should be a valid variable name.': 'Phải là tên biến hợp lệ.', 'No components found.': 'Không tìm thấy thành phần.',
};
const CREATED = /^Create an? (.+) element$/, REMOVED = /^Remove (.+)$/, COUNTED = /^List contains (\d+) items$/;
export function formWord(text) {
  const one = FORM_WORDS[text];
  if (one) return one;
  const created = CREATED.exec(text), removed = REMOVED.exec(text), counted = COUNTED.exec(text);
  if (created) return `Thêm ${(FORM_WORDS[created[1]] ?? created[1]).toLowerCase()}`;
  if (removed && FORM_WORDS[removed[1]]) return `Xóa ${FORM_WORDS[removed[1]].toLowerCase()}`;
  return counted ? `Có ${counted[1]} mục` : undefined;
}
// The library has no catalogue: what it writes into its own parts is said in Vietnamese as it appears; what people typed is not touched.
const NAMED = ['title', 'placeholder', 'aria-label', 'data-tooltip'], SKIP = '.cm-editor, textarea, script, style';
export function speak(root, inside, language, word = formWord) {
  if (language === 'en') return;
  const said = text => { const known = word(text.trim()); return known && (language === 'xx' ? `⟦${text.trim()}⟧` : known); };
  const change = node => {
    if (node.nodeType === Node.TEXT_NODE) {
      const made = node.parentElement?.closest(inside) && !node.parentElement.closest(SKIP) && said(node.data);
      if (made && node.data !== made) node.data = made;
    } else if (node.nodeType === Node.ELEMENT_NODE) {
      if (node.closest(inside)) for (const name of NAMED) { const made = node.hasAttribute(name) && said(node.getAttribute(name)); if (made) node.setAttribute(name, made); }
      node.childNodes.forEach(change);
    }
  };
  new MutationObserver(changes => {
    for (const { type, target, addedNodes } of changes) if (type === 'childList') addedNodes.forEach(change); else change(target);
  }).observe(root, { subtree: true, childList: true, characterData: true, attributes: true, attributeFilter: NAMED });
  change(root);
}
